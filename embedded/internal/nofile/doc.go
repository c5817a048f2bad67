// Package nofile knows the limit of open files that this process was started with.
//
// Package syscall raises the soft limit when it is initialised, and undoes that only in
// processes that it starts itself. A container that is given no limit must have the
// one that the program was given: some programs close every descriptor up to it.
//
// The package imports nothing, so that it is initialised before syscall: Go initialises
// packages in the order of their import paths as soon as their imports are ready. Hence
// the system call in assembly.
package nofile
