package podman

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// pollPause is how often a condition is looked at that the engine cannot wait for: Podman's own interval.
const pollPause = 250 * time.Millisecond

// ContainerWait implements [engine.Containers]. It asks for the container first: libpod answers waits for what it does not know, and for a short ID, with the exit code 0.
func (e *Engine) ContainerWait(ctx context.Context, id string, cond engine.WaitCondition) (engine.Waiter, error) {
	o := op{"wait for container", id}
	w, err := e.inspect(ctx, o, id)
	if err != nil {
		return nil, err
	}
	state := e.state(&w.State)
	switch cond {
	case engine.WaitNextExit:
		return e.waitNextExit(ctx, o, w.ID, state)
	case "", engine.WaitNotRunning:
		if !state.Running() {
			return ended(state), nil
		}
		return e.waitExit(ctx, o, w.ID, state)
	case engine.WaitExited, engine.WaitStopped:
		if state.Ended() {
			return ended(state), nil
		}
		return e.waitExit(ctx, o, w.ID, state)
	case engine.WaitRemoved:
		return e.waitRemoved(ctx, o, w.ID, state)
	case engine.WaitCreated, engine.WaitInitialized, engine.WaitRunning, engine.WaitPaused, engine.WaitRemoving:
		return newWaiter(ctx, func(ctx context.Context) (engine.Exit, error) { return e.waitState(ctx, o, w.ID, cond) }), nil
	case engine.WaitHealthy, engine.WaitUnhealthy:
		return e.waitHealth(ctx, o, w, cond)
	}
	return nil, e.unsupported("WaitCondition", string(cond), "Podman has no such condition")
}

// waiter is a wait that runs in the goroutine that asks for it.
type waiter struct {
	cancel context.CancelFunc
	wait   func() (engine.Exit, error)
	body   interface{ Close() error } // of the engine's answer; may be nil
}

// newWaiter returns a waiter whose Wait is run, once.
func newWaiter(ctx context.Context, run func(context.Context) (engine.Exit, error)) *waiter {
	ctx, cancel := context.WithCancel(ctx)
	return &waiter{cancel: cancel, wait: sync.OnceValues(func() (engine.Exit, error) { return run(ctx) })}
}

// ended is a wait that is over.
func ended(s engine.State) *waiter {
	return &waiter{cancel: func() {}, wait: func() (engine.Exit, error) { return engine.Exit{Code: s.ExitCode, Error: s.Error}, nil }}
}

// Wait implements [engine.Waiter].
func (w *waiter) Wait() (engine.Exit, error) { return w.wait() }

// Close implements [engine.Waiter].
func (w *waiter) Close() error {
	w.cancel()
	if w.body != nil {
		w.body.Close()
	}
	return nil
}

// waitNextExit waits for the next exit of a container that has the state before. Only the Docker-compatible endpoint tells when it has begun to: with the head of its answer.
func (e *Engine) waitNextExit(ctx context.Context, o op, id string, before engine.State) (*waiter, error) {
	ctx, cancel := context.WithCancel(ctx)
	resp, err := e.stream(ctx, o, wire.Request{
		Method: http.MethodPost, Path: "/v1.41/containers/" + id + "/wait", Query: url.Values{"condition": {"next-exit"}}, NoPrefix: true,
	})
	if err != nil {
		cancel()
		return nil, err
	}
	answer := func() (engine.Exit, error) {
		var out struct {
			StatusCode int
			Error      *struct{ Message string }
		}
		if err := wire.DecodeJSON(resp.Body, &out); err != nil {
			return engine.Exit{}, e.fail(o, err)
		}
		exit := engine.Exit{Code: out.StatusCode}
		if out.Error != nil {
			exit.Error = out.Error.Message
		}
		return exit, nil
	}
	missed := func(ctx context.Context) func() (engine.Exit, error) { return e.missedExit(ctx, o, id, before) }
	return &waiter{cancel: cancel, body: resp.Body, wait: sync.OnceValues(func() (engine.Exit, error) { return watched(ctx, cancel, answer, missed) })}, nil
}

// waitExit waits for the end of a container that has not ended in the state before: it looks again once the engine waits, so that an end in between is not waited for.
func (e *Engine) waitExit(ctx context.Context, o op, id string, before engine.State) (*waiter, error) {
	next, err := e.waitNextExit(ctx, o, id, before)
	if err != nil {
		return nil, err
	}
	w, err := e.inspect(ctx, o, id)
	switch {
	case isNotFound(err): // it removes itself: the answer is there, or is asked for
		return next, nil
	case err != nil:
		next.Close()
		return nil, err
	}
	if s := e.state(&w.State); s.Ended() {
		next.Close()
		return ended(s), nil
	}
	return next, nil
}

// waitState waits for a state other than an end. The engine answers -1 when it is met; since 5.0 it answers errors with 0, so that everything else is looked at.
func (e *Engine) waitState(ctx context.Context, o op, id string, cond engine.WaitCondition) (engine.Exit, error) {
	for {
		var text string
		r := post("/containers/" + id + "/wait")
		r.Query = url.Values{"condition": {string(cond)}}
		err := e.call(ctx, o, r, &text)
		if err == nil && strings.TrimSpace(text) == "-1" {
			return engine.Exit{Code: -1}, nil
		}
		if isNotFound(err) && cond == engine.WaitRemoving {
			return engine.Exit{Code: -1}, nil // it is gone already
		}
		if err != nil {
			return engine.Exit{}, err
		}
		w, err := e.inspect(ctx, o, id)
		if isNotFound(err) && cond == engine.WaitRemoving {
			return engine.Exit{Code: -1}, nil
		}
		if err != nil {
			return engine.Exit{}, err
		}
		if status, _ := statusOf(w.State.Status); string(status) == string(cond) {
			return engine.Exit{Code: -1}, nil
		}
		if err := e.pause(ctx, o, pollPause); err != nil {
			return engine.Exit{}, err
		}
	}
}

// pause waits for a time, or for ctx's end, whose error it returns.
func (e *Engine) pause(ctx context.Context, o op, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return e.fail(o, contextError(ctx))
	}
}
