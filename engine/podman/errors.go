package podman

import (
	"bytes"
	"context"
	"encoding/json"
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
		return answerError(o, s.Status, s.Cause(), s.Message())
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

// answerError is an error that the engine gave in words; status is 0 where it came inside a body. What the engine or its host cannot do is an UnsupportedError.
func answerError(o op, status int, cause, message string) error {
	if option, ok := unsupportedText(message); ok {
		return &engine.UnsupportedError{Option: option, Engine: Name, Reason: message}
	}
	return &engine.APIError{Engine: Name, Op: o.verb, Object: o.object, Status: status, Message: message, Cause: cause, Kind: kindOf(status, cause, message)}
}

// kindOf is the kind of an answer: by cause, which stays the same from version to version, then by text, then by status, which does not.
func kindOf(status int, cause, message string) error {
	if cause == "" { // of an error inside a body, which ends with it
		cause = message[strings.LastIndex(message, ": ")+1:]
		cause = strings.TrimSpace(cause)
	}
	if kind := kindOfCause(cause, message); kind != nil {
		return kind
	}
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

// bodyError is an error inside a body that came with a status of success; ok is false where b holds none.
func bodyError(o op, b []byte) (err error, ok bool) {
	if !bytes.Contains(b, []byte(`"cause"`)) && !bytes.Contains(b, []byte(`"error"`)) {
		return nil, false
	}
	var v struct {
		Cause    string          `json:"cause"`
		Message  string          `json:"message"`
		Response int             `json:"response"`
		Error    json.RawMessage `json:"error"`
	}
	if json.Unmarshal(b, &v) != nil {
		return nil, false
	}
	if v.Message == "" && len(v.Error) > 0 && string(v.Error) != "null" && string(v.Error) != `""` {
		if json.Unmarshal(v.Error, &v.Message) != nil {
			v.Message = string(v.Error)
		}
	}
	if v.Message == "" && v.Cause == "" {
		return nil, false
	}
	if v.Message == "" {
		v.Message = v.Cause
	}
	return answerError(o, v.Response, v.Cause, v.Message), true
}

func isNotFound(err error) bool { return errors.Is(err, engine.ErrNotFound) }

// unsupported is the error of an option or a call that this Podman lacks.
func (e *Engine) unsupported(option, value, reason string) error {
	return &engine.UnsupportedError{Option: option, Value: value, Engine: Name, Reason: reason}
}

// need is nil when the server has what need brought, else the error of option.
func (e *Engine) need(need version, option string) error {
	if e.version >= need {
		return nil
	}
	return &engine.UnsupportedError{Option: option, Engine: Name, Have: e.version.String(), Need: need.String()}
}

// contextError is the error of ctx, which is done, with its cause where that is another.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// noID is the error of a success that does not say what was made.
func noID(o op) error {
	return &engine.APIError{Engine: Name, Op: o.verb, Object: o.object, Message: "the engine's answer has no ID"}
}
