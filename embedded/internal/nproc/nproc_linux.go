package nproc

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// Hint tells what to look at.
const Hint = "no more processes may be made: see RLIMIT_NPROC (ulimit -u), pids.max of the cgroup and kernel.threads-max"

// Explain adds the hint to the error of a fork or an execve that needs it.
func Explain(err error) error {
	if err == nil || !errors.Is(err, syscall.EAGAIN) || strings.Contains(err.Error(), Hint) {
		return err
	}
	return fmt.Errorf("%w (%s)", err, Hint)
}

// Told says that a Go program has ended with these words because it could get no thread, with cgo or without.
func Told(words string) bool {
	return strings.Contains(words, "failed to create new OS thread") && strings.Contains(words, "errno=11") ||
		strings.Contains(words, "pthread_create failed: Resource temporarily unavailable")
}
