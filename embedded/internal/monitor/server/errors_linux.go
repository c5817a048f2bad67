package server

import (
	"errors"

	"github.com/berthdev/berth/engine"
)

// failure is an error with its kind on its way to the caller, who adds call and object.
type failure struct {
	text string
	kind error
}

func (e *failure) Error() string { return e.text }
func (e *failure) Unwrap() error { return e.kind }

func conflict(text string) error { return &failure{text, engine.ErrConflict} }

func notRunning(id string) error {
	return &failure{"container " + id + " is not running", engine.ErrNotRunning}
}

func notFound(id string) error { return &failure{"No such container: " + id, engine.ErrNotFound} }

// message is an error's text as exit.json keeps it.
func message(err error) string {
	if a, ok := errors.AsType[*engine.APIError](err); ok && a.Message != "" {
		return a.Message
	}
	return err.Error()
}
