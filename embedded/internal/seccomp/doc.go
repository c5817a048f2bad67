// Package seccomp compiles OCI seccomp profiles to the kernel's BPF, for amd64
// (with its i386 and x32 ABIs) and arm64 (with 32-bit ARM).
//
// The filter is a binary tree over ranges of system call numbers with the same
// answer, not a list: the kernel emulates a filter once for every number when it
// is loaded, so depth is what costs. Numbers newer than any that the profile
// knows get ENOSYS instead of the profile's default, as runc does, so that
// programs fall back instead of failing.
//
// It loads nothing: the start path does, in the child.
package seccomp
