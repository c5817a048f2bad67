package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// fail is an error with a kind that callers act on.
func fail(op, object string, kind error, format string, args ...any) error {
	return &engine.APIError{Engine: name, Op: op, Object: object, Message: fmt.Sprintf(format, args...), Kind: kind}
}

// because puts an operation before an error of the packages below. When ctx is
// done it is ctx's error; an error that says its operation already is left as it is.
func because(ctx context.Context, op, object string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		cause := contextError(ctx)
		if errors.Is(err, ctx.Err()) && errors.Is(err, context.Cause(ctx)) {
			return err
		}
		err = cause
	case told(err):
		return err
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return &engine.APIError{Engine: name, Op: op, Object: object, Message: "the disk is full: " + err.Error()}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.EROFS):
		return &engine.APIError{Engine: name, Op: op, Object: object, Message: "the state directory cannot be written to: " + err.Error()}
	}
	if object != "" {
		op += " " + object
	}
	return fmt.Errorf("%s: %w", op, err)
}

// contextError is why ctx ended: its error, with the cause that it was given.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// told tells that an error is one of the engine's contract.
func told(err error) bool {
	for _, is := range []func(error) bool{as[*engine.APIError], as[*engine.UnsupportedError], as[*engine.InvalidError], as[*engine.OrphanError], as[*engine.ExecAliveError]} {
		if is(err) {
			return true
		}
	}
	return false
}

func as[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

// unsupported is the error of a call or an option that the engine has not.
func unsupported(option, value, reason string) error {
	return &engine.UnsupportedError{Option: option, Value: value, Engine: name, Reason: reason}
}
