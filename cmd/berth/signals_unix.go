//go:build unix

package main

import (
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// passedOn are the signals that a process in the foreground gets besides those that end berth otherwise.
// Left out are those that tell of berth itself: its children, its pipes, its
// window (whose size is followed), its job control and its faults.
var passedOn = []os.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGABRT,
	syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM, syscall.SIGIO,
}

// signalName is the name by which engines know a signal: its number may be another there.
func signalName(sig syscall.Signal) string { return strings.TrimPrefix(unix.SignalName(sig), "SIG") }

// keepBrokenPipes makes a write to a pipe that nobody reads an error instead of
// the end of the program: there may be a container to remove.
func keepBrokenPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
