package engine

import (
	"errors"
	"fmt"
	"strings"
)

// The kinds of error that callers act on. Test for them with [errors.Is]; the
// concrete error carries the engine's own words.
var (
	// ErrNotFound: the container, image, volume, network, exec or path does not exist.
	ErrNotFound = errors.New("not found")
	// ErrImageNotFound: the image does not exist here or in its registry. It is also an ErrNotFound.
	ErrImageNotFound error = &subkind{"image not found", ErrNotFound}
	// ErrConflict: the name is taken, or the object's state forbids the call.
	ErrConflict = errors.New("conflict")
	// ErrNotRunning: the call needs a running container. It is also an ErrConflict.
	ErrNotRunning error = &subkind{"container is not running", ErrConflict}
	// ErrUnavailable: the engine cannot be reached, or went away during the call.
	ErrUnavailable = errors.New("engine unavailable")
	// ErrUnauthorized: the registry or the engine refused the credentials, or the socket's permissions forbid it.
	ErrUnauthorized = errors.New("unauthorized")
	// ErrInvalid: an argument or option is malformed, or the engine rejected its value.
	ErrInvalid = errors.New("invalid")
	// ErrUnsupported: this engine cannot do it. See UnsupportedError.
	ErrUnsupported = errors.New("unsupported")
	// ErrCommandNotFound: the command does not exist in the container (exit code 127).
	ErrCommandNotFound = errors.New("command not found")
	// ErrCommandNotExecutable: the command exists and cannot be executed (exit code 126).
	ErrCommandNotExecutable = errors.New("command not executable")
)

// subkind is a kind that is also its parent kind.
type subkind struct {
	text   string
	parent error
}

func (e *subkind) Error() string { return e.text }
func (e *subkind) Unwrap() error { return e.parent }

// APIError is an engine's answer that a call failed. It unwraps to its Kind, and
// is returned by pointer.
type APIError struct {
	Engine  string // engine's name: docker, podman, embedded
	Op      string // what was asked: "create container", "pull image"
	Object  string // name or id it was asked of; may be empty
	Status  int    // HTTP status; 0 where there is none (an error inside a stream, the embedded engine)
	Message string // the engine's text
	Cause   string // Podman's innermost cause; else empty
	Kind    error  // one of the Err… kinds; nil when none fits
}

func (e *APIError) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Object != "" {
		b.WriteString(" ")
		b.WriteString(e.Object)
	}
	b.WriteString(": ")
	if e.Message != "" {
		b.WriteString(e.Message)
	} else if e.Kind != nil {
		b.WriteString(e.Kind.Error())
	} else {
		fmt.Fprintf(&b, "status %d", e.Status)
	}
	fmt.Fprintf(&b, " (%s", e.Engine)
	if e.Status != 0 {
		fmt.Fprintf(&b, " %d", e.Status)
	}
	b.WriteString(")")
	return b.String()
}

func (e *APIError) Unwrap() error { return e.Kind }

// UnsupportedError says that an engine cannot honour an option or a call. It is
// an ErrUnsupported. Nothing was left behind.
type UnsupportedError struct {
	Option string // the option's name as in Spec or the options struct: "Spec.UsernsMode", or the call: "Container.Init"
	Value  string // its value, when only that value is unsupported
	Engine string // docker, podman, embedded
	Have   string // the engine's version or API version, when that is the reason
	Need   string // the version that can, when one can
	Reason string // why, in words
}

func (e *UnsupportedError) Error() string {
	var b strings.Builder
	b.WriteString(e.Option)
	if e.Value != "" {
		fmt.Fprintf(&b, "=%s", e.Value)
	}
	b.WriteString(" is not supported")
	if e.Engine != "" {
		b.WriteString(" by ")
		b.WriteString(e.Engine)
	}
	if e.Have != "" {
		b.WriteString(" ")
		b.WriteString(e.Have)
	}
	if e.Need != "" {
		fmt.Fprintf(&b, " (needs %s)", e.Need)
	}
	if e.Reason != "" {
		b.WriteString(": ")
		b.WriteString(e.Reason)
	}
	return b.String()
}

// Is reports target == ErrUnsupported.
func (e *UnsupportedError) Is(target error) bool { return target == ErrUnsupported }

// InvalidError names the option whose value is malformed. It is an ErrInvalid.
type InvalidError struct {
	Option string // "Spec.Ports[0]", "tail"; for parsers, what was parsed: "port"
	Value  string // the value as given
	Reason string
	Err    error // underlying error; may be nil
}

func (e *InvalidError) Error() string {
	s := "invalid " + e.Option
	if e.Value != "" {
		s += fmt.Sprintf(" %q", e.Value)
	}
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is reports target == ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

func (e *InvalidError) Unwrap() error { return e.Err }

// ExecAliveError says that an exec'd process could not be ended: it lives on in
// its container. It unwraps to why it was to be ended (as a rule ctx's error)
// and to why that failed.
type ExecAliveError struct {
	ExecID    string
	Container string
	PID       int // in the engine's pid namespace; 0 when not known
	Cause     error
	Err       error // why it could not be killed
}

func (e *ExecAliveError) Error() string {
	s := fmt.Sprintf("exec %s in container %s is still running", short(e.ExecID), short(e.Container))
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return fmt.Sprintf("%s (could not be killed: %v)", s, e.Err)
}

func (e *ExecAliveError) Unwrap() []error { return nonNil(e.Cause, e.Err) }

// OrphanError says that a call which owned a container failed and could not
// remove it: the caller must. It unwraps to the failure and to the error of the removal.
type OrphanError struct {
	ID      string // the container that was left behind
	Cause   error  // why the call failed
	Cleanup error  // why the removal failed
}

func (e *OrphanError) Error() string {
	s := fmt.Sprintf("container %s was left behind: %v", short(e.ID), e.Cleanup)
	if e.Cause != nil {
		s = fmt.Sprintf("%v (%s)", e.Cause, s)
	}
	return s
}

func (e *OrphanError) Unwrap() []error { return nonNil(e.Cause, e.Cleanup) }

// ConnectError says that no engine could be reached: what was tried, in order,
// and why each attempt failed. It is an ErrUnavailable.
type ConnectError struct {
	Tried []Attempt
}

// Attempt is one address that was tried.
type Attempt struct {
	Host   string // unix:///var/run/docker.sock
	Source string // how it was found: "DOCKER_HOST", "docker context \"x\"", "well-known socket"
	Err    error
}

func (e *ConnectError) Error() string {
	switch len(e.Tried) {
	case 0:
		return "no container engine found: nothing to try"
	case 1:
		t := e.Tried[0]
		return fmt.Sprintf("connect to container engine at %s (%s): %v", t.Host, t.Source, t.Err)
	}
	var b strings.Builder
	b.WriteString("no container engine found; tried:")
	for _, t := range e.Tried {
		fmt.Fprintf(&b, "\n\t%s (%s): %v", t.Host, t.Source, t.Err)
	}
	return b.String()
}

// Is reports target == ErrUnavailable.
func (e *ConnectError) Is(target error) bool { return target == ErrUnavailable }

func (e *ConnectError) Unwrap() []error {
	errs := make([]error, 0, len(e.Tried))
	for _, t := range e.Tried {
		errs = append(errs, t.Err)
	}
	return nonNil(errs...)
}

func nonNil(errs ...error) []error {
	out := errs[:0:0]
	for _, err := range errs {
		if err != nil {
			out = append(out, err)
		}
	}
	return out
}

// short cuts an id to the 12 characters that people know.
func short(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	if len(id) > 12 {
		return id[:12]
	}
	return id
}
