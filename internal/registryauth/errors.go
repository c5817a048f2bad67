package registryauth

import (
	"errors"
	"fmt"
)

// MissingHelperError tells that credentials may be in a helper that cannot be
// run: its program, or one that it needs, is not installed or not set up.
type MissingHelperError struct {
	Helper string // the program's name, docker-credential-x
	File   string // the configuration file that names it
	Server string // the registry it was to be asked about
	Err    error  // why it cannot be run
}

func (e *MissingHelperError) Error() string {
	return fmt.Sprintf("ask credential helper %s (named in %s) about %s: %v", e.Helper, e.File, e.Server, e.Err)
}

func (e *MissingHelperError) Unwrap() error { return e.Err }

// UnreadableFileError tells that credentials may be in a file which this
// process may not read, as a service with another user's HOME finds it.
type UnreadableFileError struct {
	File string
	Err  error
}

func (e *UnreadableFileError) Error() string {
	return fmt.Sprintf("look for registry credentials: %v", e.Err)
}

func (e *UnreadableFileError) Unwrap() error { return e.Err }

// HelperError tells that a credential helper ran and failed, otherwise than for
// want of the credentials.
type HelperError struct {
	Helper string // the program's name
	File   string // the configuration file that names it
	Server string // the registry it was asked about
	Text   string // what it said, or what is wrong with its answer
	Err    error  // how it ended, nil if it ended well
}

func (e *HelperError) Error() string {
	text := e.Text
	const most = 300 // characters of a message, not of a page
	if len(text) > most {
		text = text[:most] + "…"
	}
	s := fmt.Sprintf("credential helper %s for %s: %s", e.Helper, e.Server, text)
	if e.Err != nil {
		s += fmt.Sprintf(" (%v)", e.Err)
	}
	return s
}

func (e *HelperError) Unwrap() error { return e.Err }

// Ignorable tells whether a caller may go on without credentials after Lookup's
// err: it then logs err, and adds it to the registry's refusal if there is one.
// A public image needs no credentials, and a configuration left behind by
// another installation must not be in its way.
func Ignorable(err error) bool {
	if _, ok := errors.AsType[*MissingHelperError](err); ok {
		return true
	}
	_, ok := errors.AsType[*UnreadableFileError](err)
	return ok
}
