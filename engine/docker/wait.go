package docker

import (
	"context"
	"net/http"
	"net/url"
	"sync"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// ContainerWait implements [engine.Containers]. The engine sends the head of its answer when it has the wait, and the body when the condition holds.
func (e *Engine) ContainerWait(ctx context.Context, id string, cond engine.WaitCondition) (engine.Waiter, error) {
	query := url.Values{}
	switch cond {
	case "":
		cond = engine.WaitNotRunning
	case engine.WaitNotRunning, engine.WaitNextExit, engine.WaitRemoved:
	default:
		return nil, &engine.UnsupportedError{Option: "WaitCondition", Value: string(cond), Engine: Name}
	}
	query.Set("condition", string(cond))
	path, err := containerPath(id, "/wait")
	if err != nil {
		return nil, err
	}
	o := op{"wait for container", id}
	ctx, cancel := context.WithCancel(ctx)
	resp, err := e.stream(ctx, o, wire.Request{Method: http.MethodPost, Path: path, Query: query})
	if err != nil {
		cancel()
		return nil, err
	}
	w := &waiter{body: resp.Body, cancel: cancel}
	w.wait = sync.OnceValues(func() (engine.Exit, error) {
		var out wireWait
		if err := wire.DecodeJSON(resp.Body, &out); err != nil {
			return engine.Exit{}, e.fail(o, err)
		}
		exit := engine.Exit{Code: out.StatusCode}
		if out.Error != nil {
			exit.Error = out.Error.Message
		}
		return exit, nil
	})
	return w, nil
}

type wireWait struct {
	StatusCode int
	Error      *struct{ Message string }
}

type waiter struct {
	body   interface{ Close() error }
	cancel context.CancelFunc
	wait   func() (engine.Exit, error)
	close  sync.Once
}

// Wait implements [engine.Waiter].
func (w *waiter) Wait() (engine.Exit, error) { return w.wait() }

// Close implements [engine.Waiter].
func (w *waiter) Close() error {
	w.close.Do(func() {
		w.cancel()
		w.body.Close()
	})
	return nil
}
