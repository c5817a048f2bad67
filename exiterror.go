package berth

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/berthdev/berth/internal/normal"
)

// ExitError says that a process ended with a code other than 0: a container's
// from [Containers.Run], a command's from Cmd. A command that is missing is the
// code 127 and [ErrCommandNotFound], one that is not executable 126 and
// [ErrCommandNotExecutable], whichever way the engine tells it.
type ExitError struct {
	Code int
	// Stdout and Stderr are the last 64 KiB of each stream, whether it was
	// collected or went to a writer. With a terminal all of it is Stdout.
	Stdout, Stderr []byte
	// OOMKilled is nil where the engine does not tell.
	OOMKilled *bool
	// Container is where it ran. After [Containers.Run] it is gone unless it was kept.
	Container *Container
	// Message is the engine's text, when it had one: why the command could not be started.
	Message string

	kind error // ErrCommandNotFound or ErrCommandNotExecutable when the engine told so
}

// Error tells the code and, as far as there are any, the engine's words or the
// last line of the standard error.
func (e *ExitError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "exit code %d", e.Code)
	if e.Container != nil {
		fmt.Fprintf(&b, " in container %s", strings.TrimSpace(e.Container.ShortID()+" "+e.Container.Name()))
	}
	if e.OOMKilled != nil && *e.OOMKilled {
		b.WriteString(" (out of memory)")
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	} else if line := lastLine(e.Stderr); line != "" {
		b.WriteString(": " + line)
	}
	return b.String()
}

// Is tells whether target is [ErrCommandNotFound] or [ErrCommandNotExecutable] and
// the process could not be started for that reason.
func (e *ExitError) Is(target error) bool {
	kind := e.kind
	if kind == nil && e.Message != "" {
		kind = normal.ExitKind(e.Code, e.Message)
	}
	return kind != nil && target == kind
}

// lastLine is the last line of text that has something on it, up to 200 bytes.
func lastLine(text []byte) string {
	text = bytes.TrimSpace(text)
	text = text[bytes.LastIndexByte(text, '\n')+1:]
	return strings.ToValidUTF8(string(text[:min(len(text), 200)]), "\uFFFD")
}

// OrphanError says that a call which owned a container could not remove it: the
// caller must. It unwraps to why the call failed and to why the removal did.
type OrphanError struct {
	Container *Container
	Cause     error // why the call failed; nil when only the removal did
	Cleanup   error // why the removal failed
}

func (e *OrphanError) Error() string {
	if e.Cause == nil {
		return fmt.Sprintf("%v was left behind: %v", e.Container, e.Cleanup)
	}
	return fmt.Sprintf("%v (%v was left behind: %v)", e.Cause, e.Container, e.Cleanup)
}

// Unwrap returns those of Cause and Cleanup that are not nil.
func (e *OrphanError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Cause, e.Cleanup} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}
