package embedded

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/berthdev/berth/embedded/internal/logs"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// ContainerLogs implements [engine.Containers].
func (e *Engine) ContainerLogs(ctx context.Context, id string, opts engine.LogOptions) (engine.LogReader, error) {
	const op = "read logs of container"
	if opts.NoStdout && opts.NoStderr {
		return nil, &engine.InvalidError{Option: "LogOptions", Reason: "neither stdout nor stderr"}
	}
	if opts.Tail != nil && *opts.Tail < 0 {
		return nil, &engine.InvalidError{Option: "LogOptions.Tail", Reason: "negative"}
	}
	s, err := e.snapshot(ctx, op, id)
	if err != nil {
		return nil, err
	}
	r, err := logs.Open(ctx, e.logSource(ctx, s.Config), opts)
	return r, because(ctx, op, id, err)
}

func (e *Engine) logSource(ctx context.Context, cfg *state.Config) logs.Source {
	return logs.Source{
		Dir: e.logDir(cfg.ID), Log: cfg.Log, TTY: cfg.Spec.TTY,
		Ended: func() bool {
			s, err := e.state(ctx, cfg.ID)
			if errors.Is(err, engine.ErrNotFound) {
				return true
			}
			return err == nil && !busy(s) // one that was never started, too, as on the other engines
		},
	}
}

func (e *Engine) logDir(id string) string { return filepath.Join(e.store.Dir(id), "log") }
