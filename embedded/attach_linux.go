package embedded

import (
	"context"
	"errors"
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

// attach connects to the streams, with the log before them if opts.Logs is set. What
// the container writes in between may come twice, but is not missed.
func (e *Engine) attach(ctx context.Context, s *state.Snapshot, opts engine.AttachOptions) (engine.Stream, error) {
	if !opts.Logs {
		return e.monitors.Attach(ctx, s.Config.ID, opts)
	}
	var live engine.Stream
	if !opts.NoStream {
		var err error
		live, err = e.monitors.Attach(ctx, s.Config.ID, opts)
		if errors.Is(err, engine.ErrNotRunning) && s.Exit != nil {
			live = nil // what it logged is served
		} else if err != nil {
			return nil, err
		}
	}
	log, err := logs.Open(ctx, e.logSource(ctx, s.Config), engine.LogOptions{NoStdout: !opts.Stdout, NoStderr: !opts.Stderr})
	if err != nil {
		if live != nil {
			err = errors.Join(err, live.Close())
		}
		return nil, err
	}
	return &replay{log: log, live: live}, nil
}

// replay is a log, and then a stream, which is nil when there is none.
type replay struct {
	log  engine.LogReader
	live engine.Stream
	over bool // of the log; Read alone uses it
}

func (r *replay) Read(p []byte) (int, error) {
	if !r.over {
		n, err := r.log.Read(p)
		if err != io.EOF {
			return n, err
		}
		r.over = true
		if n > 0 {
			return n, nil
		}
	}
	if r.live == nil {
		return 0, io.EOF
	}
	return r.live.Read(p)
}

func (r *replay) Write(p []byte) (int, error) {
	if r.live == nil {
		return 0, io.ErrClosedPipe
	}
	return r.live.Write(p)
}

func (r *replay) CloseWrite() error {
	if r.live == nil {
		return nil
	}
	return r.live.CloseWrite()
}

func (r *replay) Close() error {
	err := r.log.Close()
	if r.live != nil {
		err = errors.Join(err, r.live.Close())
	}
	return err
}

func (r *replay) Multiplexed() bool { return r.log.Multiplexed() }
