package docker

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// fail turns an error of package wire into one of package engine that says what was asked. Errors of ctx, of the caller's body and those that are of package engine already stay what they are.
func (e *Engine) fail(o op, err error) error {
	if err == nil {
		return nil
	}
	if s, ok := errors.AsType[*wire.StatusError](err); ok {
		return statusError(o, s)
	}
	what := strings.TrimSpace(o.verb + " " + o.object)
	switch {
	case wire.Unavailable(err) && errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %w: %w: %w", what, engine.ErrUnavailable, engine.ErrUnauthorized, err)
	case wire.Unavailable(err), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: %w: %w", what, engine.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// statusError is what the engine answered, with its kind. What the engine or its host cannot do is an UnsupportedError.
func statusError(o op, s *wire.StatusError) error {
	return answerError(o, s.Status, s.Message())
}

// answerError is an error that the engine gave in words; status is 0 where it came inside a stream.
func answerError(o op, status int, message string) error {
	if option, ok := unsupportedText(message); ok {
		return &engine.UnsupportedError{Option: option, Engine: Name, Reason: message}
	}
	return &engine.APIError{Engine: Name, Op: o.verb, Object: o.object, Status: status, Message: message, Kind: kindOf(status, message)}
}

// kindOf is the kind of an answer: its text where that tells more than its status, which differs from version to version.
func kindOf(status int, message string) error {
	if kind := kindOfText(message); kind != nil {
		return kind
	}
	switch status {
	case http.StatusBadRequest, http.StatusRequestURITooLong, http.StatusRequestEntityTooLarge:
		return engine.ErrInvalid
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return engine.ErrUnauthorized
	case http.StatusNotFound:
		return engine.ErrNotFound
	case http.StatusConflict:
		return engine.ErrConflict
	case http.StatusNotImplemented:
		return engine.ErrUnsupported
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return engine.ErrUnavailable
	}
	return nil
}

// noID is the error of a success that does not say what was made.
func noID(o op) error {
	return &engine.APIError{Engine: Name, Op: o.verb, Object: o.object, Message: "the engine's answer has no ID"}
}
