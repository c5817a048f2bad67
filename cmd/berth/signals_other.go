//go:build !unix

package main

import (
	"os"
	"syscall"
)

// passedOn are the signals that a process in the foreground gets.
var passedOn = []os.Signal{os.Interrupt, syscall.SIGTERM}

// signalName is the name by which engines know a signal.
func signalName(sig syscall.Signal) string {
	switch sig {
	case syscall.SIGINT:
		return "INT"
	case syscall.SIGTERM:
		return "TERM"
	}
	return ""
}

// keepBrokenPipes does nothing where a broken pipe is an error already.
func keepBrokenPipes() {}
