//go:build linux

package logs

import (
	"context"
	"errors"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// Source is the log to be read.
type Source struct {
	Dir string // of the log
	Log state.Log
	// TTY: the process has a terminal. Its log is raw bytes, not frames.
	TTY bool
	// Ended tells whether the container has ended, so that nothing follows any more (a container
	// that is to be restarted has not). It is asked, for opts.Follow alone, when the writer has
	// closed the file, also by dying, and now and then. Nil is a container that has ended.
	Ended func() bool
}

// Open opens a log for reading. ctx governs the reader too. A driver that keeps nothing is an UnsupportedError.
func Open(ctx context.Context, src Source, opts engine.LogOptions) (engine.LogReader, error) {
	return nil, errors.New("not implemented")
}
