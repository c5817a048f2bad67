package berth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/execkill"
)

// killGrace is what a process gets to end by itself after its input was closed
// or ^C typed, before it is killed.
const killGrace = 50 * time.Millisecond

// cleanupContext is for what must be done although ctx is over.
func (r *running) cleanupContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.ctx), r.cmd.c.cli.cleanupTimeout)
}

// interrupt runs when ctx is done before Wait has returned. It ends the process,
// politely first, and the stream.
func (r *running) interrupt() {
	defer close(r.interrupted)
	ctx, cancel := r.cleanupContext()
	defer cancel()
	if st, err := r.e.ExecInspect(ctx, r.id); err == nil && isOver(st) {
		r.wasOver = true // its last output may still be on the way
		return
	}
	asked := make(chan struct{})
	go func() { // a Write may block until the stream is closed
		defer close(asked)
		if r.cmd.TTY {
			r.stream.Write([]byte{3})
		} else {
			r.stream.CloseWrite()
		}
	}()
	r.aliveErr = r.end(ctx)
	r.closeStream()
	r.stream.Close()
	<-asked
	r.cmd.closePipes(contextError(r.ctx))
}

// end makes the process end and returns nil when it is over, else why it lives on.
func (r *running) end(ctx context.Context) error {
	if r.overWithin(ctx, killGrace) {
		return nil
	}
	err := r.kill(ctx, "")
	if err == nil {
		// Docker counts a process that is dead as running for 2 s when a child of it keeps its output open: SIGKILL was delivered.
		r.overWithin(ctx, killGrace)
		return nil
	}
	r.closeStream() // on some engines the end of the connection is the end of the process
	if isGone(err) || r.overWithin(ctx, 4*killGrace) {
		return nil
	}
	return err
}

// kill sends a signal to the process.
func (r *running) kill(ctx context.Context, signal string) error {
	if r.marker == "" {
		return r.e.ExecKill(ctx, r.id, signal)
	}
	st, err := r.e.ExecInspect(ctx, r.id)
	if err != nil {
		return err
	}
	return execkill.Kill(ctx, r.e, st, signal, r.marker)
}

// canceled is the error of a command whose ctx has ended; alive is why its
// process lives on, nil when it does not.
func (r *running) canceled(alive error) error {
	cause := contextError(r.ctx)
	if alive == nil {
		return fmt.Errorf("exec of %s: %w", r.cmd.Path, cause)
	}
	e := &ExecAliveError{ExecID: r.id, Container: r.cmd.c.id, Cause: cause, Err: alive}
	if inner, ok := errors.AsType[*ExecAliveError](alive); ok {
		e.PID, e.Err = inner.PID, inner.Err
	}
	return e
}

// isGone tells that an exec does not exist any more: its container was removed or has ended.
func isGone(err error) bool {
	return errors.Is(err, engine.ErrNotFound) || errors.Is(err, engine.ErrNotRunning)
}
