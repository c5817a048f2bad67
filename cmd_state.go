package berth

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/berthdev/berth/engine"
)

// The pauses between two questions whether a process is over.
const (
	firstPause = time.Millisecond
	lastPause  = 500 * time.Millisecond
)

// isOver tells that the process has ended, or never was. An exec that the engine is about to
// start does not run yet and has no code: it is not over.
func isOver(st *engine.ExecState) bool { return !st.Running && st.ExitCode != nil }

// lostPatience is how long an engine may take to learn the exit code of a process that it says is over.
const lostPatience = 2 * time.Second

// watch asks the engine until the process is over or ctx is done. The state of one that is over
// has no exit code where the engine has lost it.
func (r *running) watch(ctx context.Context) (*engine.ExecState, error) {
	var over time.Time
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		st, err := r.e.ExecInspect(ctx, r.id)
		switch {
		case err != nil || isOver(st):
			return st, err
		case st.Running || !st.Started:
			over = time.Time{}
		case over.IsZero():
			over = time.Now()
		case time.Since(over) > lostPatience:
			return st, nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return st, contextError(ctx)
		}
	}
}

// settle is watch after the end of the stream: engines learn of the process's end a moment
// later, if at all. A process that goes on is io.ErrUnexpectedEOF: its stream was cut short.
func (r *running) settle(ctx context.Context) (*engine.ExecState, error) {
	if r.input.detached(r.keys) && !r.overWithin(ctx, killGrace) {
		return nil, ErrDetached
	}
	bounded, cancel := context.WithTimeout(ctx, r.cmd.c.cli.cleanupTimeout)
	defer cancel()
	st, err := r.watch(bounded)
	switch {
	case err == nil || ctx.Err() != nil || bounded.Err() == nil:
		return st, err
	case st == nil:
		return nil, fmt.Errorf("%w: the engine does not tell whether the process is over", io.ErrUnexpectedEOF)
	case st.Running:
		return nil, fmt.Errorf("%w: the process is still running", io.ErrUnexpectedEOF)
	}
	return st, nil // over, and its code is lost
}

// overWithin tells whether the process is over, or gone with its container, or never began, after at most d.
func (r *running) overWithin(ctx context.Context, d time.Duration) bool {
	bounded, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	st, err := r.watch(bounded)
	if err == nil || isGone(err) {
		return true
	}
	return st != nil && !st.Running && !st.Started
}
