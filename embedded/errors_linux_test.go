package embedded

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

func TestBecause(t *testing.T) {
	ctx := t.Context()
	gone, cancel := context.WithCancel(ctx)
	cancel()
	invalid := &engine.InvalidError{Option: "x", Reason: "y"}
	for _, c := range []struct {
		name string
		ctx  context.Context
		err  error
		is   error
		text string
	}{
		{"none", ctx, nil, nil, ""},
		{"none after the end", gone, nil, nil, ""},
		{"plain", ctx, errors.New("bad thing"), nil, "start container c: bad thing"},
		{"of the contract", ctx, invalid, engine.ErrInvalid, invalid.Error()},
		{"ctx's", gone, errors.New("closed"), context.Canceled, "start container c: context canceled"},
		{"ctx's already", gone, context.Canceled, context.Canceled, "context canceled"},
		{"full disk", ctx, &fs.PathError{Op: "write", Path: "/f", Err: unix.ENOSPC}, nil, "the disk is full"},
		{"read-only", ctx, &fs.PathError{Op: "open", Path: "/f", Err: unix.EROFS}, nil, "cannot be written"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := because(c.ctx, "start container", "c", c.err)
			if (err == nil) != (c.err == nil) {
				t.Fatalf("%v becomes %v", c.err, err)
			}
			if err == nil {
				return
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is no %v", err, c.is)
			}
			if !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %q, want %q in it", err, c.text)
			}
		})
	}
}
