//go:build linux

package image

import (
	"context"
	"fmt"

	"github.com/berthdev/berth/engine"
)

// fail is an error of the store with a kind that callers act on.
func fail(op, object string, kind error, format string, args ...any) error {
	return &engine.APIError{Engine: "embedded", Op: op, Object: object, Message: fmt.Sprintf(format, args...), Kind: kind}
}

func notFound(op, ref string) error {
	return fail(op, ref, engine.ErrImageNotFound, "no such image: %s", ref)
}

// because puts an operation before an error; when ctx is done it is ctx's error.
func because(ctx context.Context, op, object string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if object != "" {
		op += " " + object
	}
	return fmt.Errorf("%s: %w", op, err)
}
