package proto

import (
	"errors"

	"github.com/berthdev/berth/engine"
)

// Error is an error of package engine on its way to the caller.
type Error struct {
	Type    string `json:"type"` // api, unsupported, invalid
	Kind    string `json:"kind,omitzero"`
	Message string `json:"message,omitzero"`

	// Of an UnsupportedError and an InvalidError.
	Option string `json:"option,omitzero"`
	Value  string `json:"value,omitzero"`
	Have   string `json:"have,omitzero"`
	Need   string `json:"need,omitzero"`
}

// kinds are the kinds of errors by name, the narrower ones first.
var kinds = []struct {
	name string
	kind error
}{
	{"image-not-found", engine.ErrImageNotFound},
	{"not-found", engine.ErrNotFound},
	{"not-running", engine.ErrNotRunning},
	{"conflict", engine.ErrConflict},
	{"unavailable", engine.ErrUnavailable},
	{"unauthorized", engine.ErrUnauthorized},
	{"invalid", engine.ErrInvalid},
	{"unsupported", engine.ErrUnsupported},
	{"command-not-found", engine.ErrCommandNotFound},
	{"command-not-executable", engine.ErrCommandNotExecutable},
}

// Encode makes err ready to be sent; nil is nil.
func Encode(err error) *Error {
	if err == nil {
		return nil
	}
	if u, ok := errors.AsType[*engine.UnsupportedError](err); ok {
		return &Error{Type: "unsupported", Option: u.Option, Value: u.Value, Have: u.Have, Need: u.Need, Message: u.Reason}
	}
	if i, ok := errors.AsType[*engine.InvalidError](err); ok {
		e := &Error{Type: "invalid", Option: i.Option, Value: i.Value, Message: i.Reason}
		if i.Err != nil {
			if e.Message != "" {
				e.Message += ": "
			}
			e.Message += i.Err.Error()
		}
		return e
	}
	e := &Error{Type: "api", Message: err.Error()}
	if a, ok := errors.AsType[*engine.APIError](err); ok {
		e.Message = a.Message
	}
	for _, k := range kinds {
		if errors.Is(err, k.kind) {
			e.Kind = k.name
			break
		}
	}
	return e
}

// Decode gives the error back: an [*engine.APIError] of the call op on object, an
// [*engine.UnsupportedError] or an [*engine.InvalidError].
func (e *Error) Decode(op, object string) error {
	switch {
	case e == nil:
		return nil
	case e.Type == "unsupported":
		return &engine.UnsupportedError{Option: e.Option, Value: e.Value, Engine: "embedded", Have: e.Have, Need: e.Need, Reason: e.Message}
	case e.Type == "invalid":
		return &engine.InvalidError{Option: e.Option, Value: e.Value, Reason: e.Message}
	}
	a := &engine.APIError{Engine: "embedded", Op: op, Object: object, Message: e.Message}
	for _, k := range kinds {
		if k.name == e.Kind {
			a.Kind = k.kind
		}
	}
	return a
}
