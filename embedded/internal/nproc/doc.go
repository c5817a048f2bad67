// Package nproc tells in words that a process or a thread could not be made because there are too many: the kernel
// says EAGAIN, "resource temporarily unavailable", whatever the limit. It is for Linux.
package nproc
