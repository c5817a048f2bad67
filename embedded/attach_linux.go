package embedded

import (
	"context"
	"io"

	"github.com/berthdev/berth/embedded/internal/logs"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

const opAttach = "attach to container"

// ContainerAttach implements [engine.Containers].
func (e *Engine) ContainerAttach(ctx context.Context, id string, opts engine.AttachOptions) (engine.Stream, error) {
	if opts.Websocket {
		return nil, unsupported("AttachOptions.Websocket", "true", "the engine has no HTTP API")
	}
	s, err := e.snapshot(ctx, opAttach, id)
	if err != nil {
		return nil, err
	}
	if !opts.Stdin && !opts.Stdout && !opts.Stderr {
		opts.Stdout, opts.Stderr = true, true
	}
	if opts.NoStream && !opts.Logs {
		return nil, &engine.InvalidError{Option: "AttachOptions.NoStream", Value: "true", Reason: "without Logs there is nothing to read"}
	}
	st, err := e.attach(ctx, s, opts)
	return st, because(ctx, opAttach, id, err)
}

// attach connects to the streams, with the log before them if opts.Logs is set.
func (e *Engine) attach(ctx context.Context, s *state.Snapshot, opts engine.AttachOptions) (engine.Stream, error) {
	ended := s.Exit != nil && !s.Alive
	if !opts.Logs || !opts.NoStream && !ended {
		return e.monitors.Attach(ctx, s.Config.ID, opts)
	}
	log, err := logs.Open(ctx, e.logSource(ctx, s.Config), engine.LogOptions{NoStdout: !opts.Stdout, NoStderr: !opts.Stderr})
	if err != nil {
		return nil, err
	}
	return replay{log}, nil
}

// replay is a log as a stream without input.
type replay struct{ engine.LogReader }

func (replay) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
func (replay) CloseWrite() error         { return nil }
