//go:build linux

package config

import (
	"errors"
	"fmt"

	"github.com/berthdev/berth/engine"
)

const engineName = "embedded"

// faults collects what cannot be done and what is malformed.
type faults struct{ errs []error }

func (f *faults) add(err error) {
	if err != nil {
		f.errs = append(f.errs, err)
	}
}

// unsupported refuses an option when it is set.
func (f *faults) unsupported(set bool, option, value, reason string) {
	if set {
		f.errs = append(f.errs, &engine.UnsupportedError{Option: option, Value: value, Engine: engineName, Reason: reason})
	}
}

// needs refuses an option when it is set, naming what this machine lacks for it.
func (f *faults) needs(set bool, option, value, need string) {
	if set {
		f.errs = append(f.errs, &engine.UnsupportedError{Option: option, Value: value, Engine: engineName, Need: need})
	}
}

// invalid reports a malformed option when bad.
func (f *faults) invalid(bad bool, option, value, reason string) {
	if bad {
		f.errs = append(f.errs, &engine.InvalidError{Option: option, Value: value, Reason: reason})
	}
}

func (f *faults) err() error { return errors.Join(f.errs...) }

func invalid(option, value, reason string) error {
	return &engine.InvalidError{Option: option, Value: value, Reason: reason}
}

func unsupported(option, value, reason string) error {
	return &engine.UnsupportedError{Option: option, Value: value, Engine: engineName, Reason: reason}
}

func at(option string, i int) string { return fmt.Sprintf("%s[%d]", option, i) }

// failed is an error of the engine about an object.
func failed(op, object string, kind error, format string, args ...any) error {
	return &engine.APIError{Engine: engineName, Op: op, Object: object, Message: fmt.Sprintf(format, args...), Kind: kind}
}
