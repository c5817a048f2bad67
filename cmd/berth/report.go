package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/berthdev/berth"
)

// The exit codes that are berth's own; docker has the same.
const (
	codeFailure    = 125 // berth or the engine failed
	codeBrokenPipe = 141 // as a program that SIGPIPE ended
)

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exitError is an error with an exit code of its own.
type exitError struct {
	code int
	error
}

func (e exitError) Unwrap() error { return e.error }

// report tells of err on standard error, as far as there is something to tell,
// and returns the exit code.
func (a *app) report(ctx context.Context, err error) int {
	a.restoreTerminal()
	if err == nil {
		return 0
	}
	orphan, _ := errors.AsType[*berth.OrphanError](err)
	alive, _ := errors.AsType[*berth.ExecAliveError](err)
	if sig, ok := errors.AsType[signalError](context.Cause(ctx)); ok {
		if orphan != nil || alive != nil {
			a.print(err)
		}
		return sig.code()
	}
	if exit, ok := errors.AsType[*berth.ExitError](err); ok {
		if exit.Message != "" {
			a.print(errors.New(exit.Message))
		}
		if orphan != nil {
			a.print(orphan)
		}
		return exit.Code
	}
	if errors.Is(err, syscall.EPIPE) && errors.Is(err, errOutput) {
		if orphan != nil {
			a.print(orphan)
		}
		return codeBrokenPipe
	}
	a.print(err)
	if e, ok := errors.AsType[exitError](err); ok {
		return e.code
	}
	return codeFailure
}

// print writes an error, each of several joined ones on a line of its own.
func (a *app) print(err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok && isJoin(err) {
		for _, err := range joined.Unwrap() {
			a.print(err)
		}
		return
	}
	fmt.Fprintf(a.stderr, "berth: %s\n", sourceNames(flagNames(err.Error())))
	if connect, ok := errors.AsType[*berth.ConnectError](err); ok && len(connect.Tried) != 1 {
		fmt.Fprintln(a.stderr, "berth: start Docker or Podman, or name an engine with --host")
	}
}

// sourceNames replaces the library's options by which an engine was found by the flags that set them.
func sourceNames(text string) string {
	return strings.NewReplacer("WithHost", "--host", "WithContext", "--context").Replace(text)
}

// isJoin tells that err is no more than a list of errors: its text is theirs, a line each.
func isJoin(err error) bool {
	joined := err.(interface{ Unwrap() []error }).Unwrap()
	lines := make([]string, len(joined))
	for i, e := range joined {
		lines[i] = e.Error()
	}
	return len(joined) > 0 && err.Error() == strings.Join(lines, "\n")
}
