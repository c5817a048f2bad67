// Package reexec lets a program start itself again in another role.
//
// A package calls [Register] in its init function. In a process that somebody
// started in that role, Register runs the role's function on the main
// thread and never returns: package main does not run. In every other process it
// does nothing.
//
// The role is recognised by argv[0] and a connected SEQPACKET unix socket at
// descriptor 3 whose other end was made by the same user; never by the
// environment or by argv[1], which a user's program may use as it likes.
//
// Go initialises packages in the order of their import paths as soon as their
// imports are done: init functions of packages that sort before the registering
// one, and of its own imports, have run when the role's function does. Programs
// where that hurts let another program be the monitor.
//
// The package imports nothing but os, syscall and unsafe, so that it is
// initialised early.
package reexec
