package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
)

// StatusError is a response whose status is an error: 400 and above, or a redirect, which no engine means.
type StatusError struct {
	Method, Path string // as in the Request
	Status       int
	Header       http.Header
	Body         []byte // its first MiB at most
}

// Error returns request, status and message.
func (e *StatusError) Error() string {
	s := fmt.Sprintf("%s %s: %d %s", e.Method, e.Path, e.Status, http.StatusText(e.Status))
	if m := e.Message(); m != "" {
		s += ": " + m
	}
	return s
}

// Message returns the engine's text: the "message" of a JSON body (Docker: {"message"}; Podman: {"cause", "message", "response"}), else the body as text.
func (e *StatusError) Message() string {
	if m := e.field("message"); m != "" {
		return m
	}
	return strings.TrimSpace(string(e.Body))
}

// Cause returns the "cause" of a JSON body, Podman's innermost error, and "" where there is none.
func (e *StatusError) Cause() string { return e.field("cause") }

func (e *StatusError) field(name string) string {
	var fields map[string]any
	if DecodeJSON(strings.NewReader(string(e.Body)), &fields) != nil {
		return ""
	}
	s, _ := fields[name].(string)
	return strings.TrimSpace(s)
}

// DialError is a connection that could not be opened. It says where in the words of Err.
type DialError struct{ Err error }

func (e *DialError) Error() string { return e.Err.Error() }
func (e *DialError) Unwrap() error { return e.Err }

// NoResponseError is a connection that ended, at the engine's side, before the head of its response was complete. Whether the engine did what was asked is not known.
type NoResponseError struct{ Err error }

func (e *NoResponseError) Error() string {
	return "engine closed the connection without a response: " + e.Err.Error()
}
func (e *NoResponseError) Unwrap() error { return e.Err }

// Unavailable reports whether err says that no engine answered: a *DialError or a *NoResponseError. The end of a context is none.
func Unavailable(err error) bool {
	if _, ok := errors.AsType[*DialError](err); ok {
		return true
	}
	_, ok := errors.AsType[*NoResponseError](err)
	return ok
}

// contextError returns the error of ctx, which is done: ctx.Err(), with its cause where that is another.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// lostTexts are errors for a lost connection that net/http returns but does not export: while a request is written to a pooled connection, and after a body's last chunk.
var lostTexts = [...]string{"http: server closed idle connection", "http: unexpected EOF reading trailer"}

// connectionLost says whether err is the end of a connection, by whichever side and in whichever half.
func connectionLost(err error) bool {
	for _, e := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, os.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, e) {
			return true
		}
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok { // a connection made of files: a named pipe, the pipes of ssh
		return true
	}
	return slices.ContainsFunc(lostTexts[:], func(text string) bool { return strings.Contains(err.Error(), text) })
}

// requestError returns err, with which the request of ctx failed before its response's head, in this package's terms.
func requestError(ctx context.Context, r Request, up *upload, err error) error {
	switch {
	case ctx.Err() != nil:
		err = contextError(ctx)
	case up.failed() != nil:
		err = fmt.Errorf("read request body: %w", up.failed())
	case Unavailable(err):
	case connectionLost(err):
		err = &NoResponseError{Err: err}
	}
	return fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
}

// DecodeJSON decodes the first JSON value of r into out and leaves the rest: engines have been seen to send a second one after a first. A body without any is io.ErrUnexpectedEOF, like one
// cut short. It may read beyond the value.
func DecodeJSON(r io.Reader, out any) error {
	err := json.NewDecoder(r).Decode(out)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
