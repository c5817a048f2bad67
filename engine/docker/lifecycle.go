package docker

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// ContainerStart implements [engine.Containers]. That it runs already is the engine's 304, a success.
func (e *Engine) ContainerStart(ctx context.Context, id string, opts engine.StartOptions) error {
	query := url.Values{}
	e.setDetachKeys(query, opts.DetachKeys)
	return e.container(ctx, "start container", id, http.MethodPost, "/start", query, nil, nil)
}

// setDetachKeys sets the call's own detach keys, or those of the client's configuration.
func (e *Engine) setDetachKeys(query url.Values, keys string) {
	if keys == "" {
		keys = e.keys
	}
	if keys != "" {
		query.Set("detachKeys", keys)
	}
}

// ContainerStop implements [engine.Containers].
func (e *Engine) ContainerStop(ctx context.Context, id string, opts engine.StopOptions) error {
	return e.stop(ctx, "stop container", id, "/stop", opts)
}

// ContainerRestart implements [engine.Containers].
func (e *Engine) ContainerRestart(ctx context.Context, id string, opts engine.StopOptions) error {
	return e.stop(ctx, "restart container", id, "/restart", opts)
}

func (e *Engine) stop(ctx context.Context, verb, id, suffix string, opts engine.StopOptions) error {
	query := url.Values{}
	if err := setTimeout(query, opts.Timeout); err != nil {
		return err
	}
	if opts.Signal != "" {
		r := &refusals{e: e}
		r.needs(true, apiStopSignal, "StopOptions.Signal", opts.Signal)
		_, name, err := normal.Signal(opts.Signal)
		r.add(err)
		if err := r.err(); err != nil {
			return err
		}
		query.Set("signal", name)
	}
	return e.container(ctx, verb, id, http.MethodPost, suffix, query, nil, nil)
}

// setTimeout sets t, in whole seconds. Without it the engine takes the container's StopTimeout; negative is for ever, for which it has -1.
func setTimeout(query url.Values, timeout *time.Duration) error {
	if timeout == nil {
		return nil
	}
	if *timeout < 0 {
		query.Set("t", "-1")
		return nil
	}
	seconds, err := wholeSeconds("StopOptions.Timeout", *timeout)
	if err != nil {
		return err
	}
	query.Set("t", strconv.FormatInt(seconds, 10))
	return nil
}

// ContainerKill implements [engine.Containers].
func (e *Engine) ContainerKill(ctx context.Context, id, signal string) error {
	query := url.Values{}
	if signal != "" {
		number, _, err := normal.Signal(signal)
		if err != nil {
			return err
		}
		query.Set("signal", strconv.Itoa(number))
	}
	return e.container(ctx, "kill container", id, http.MethodPost, "/kill", query, nil, nil)
}

// ContainerPause implements [engine.Containers].
func (e *Engine) ContainerPause(ctx context.Context, id string) error {
	return e.container(ctx, "pause container", id, http.MethodPost, "/pause", nil, nil, nil)
}

// ContainerUnpause implements [engine.Containers].
func (e *Engine) ContainerUnpause(ctx context.Context, id string) error {
	return e.container(ctx, "unpause container", id, http.MethodPost, "/unpause", nil, nil, nil)
}

// ContainerInit implements [engine.Containers]: Docker has no such state.
func (e *Engine) ContainerInit(context.Context, string) error {
	return unsupportedCall("Container.Init")
}

// ContainerHealthcheck implements [engine.Containers]: Docker runs health checks on its own schedule only.
func (e *Engine) ContainerHealthcheck(context.Context, string) (engine.HealthResult, error) {
	return engine.HealthResult{}, unsupportedCall("Container.RunHealthcheck")
}

func unsupportedCall(name string) error {
	return &engine.UnsupportedError{Option: name, Engine: Name}
}

// ContainerRename implements [engine.Containers]. To its own name is an error of Docker's, but no harm.
func (e *Engine) ContainerRename(ctx context.Context, id, name string) error {
	if name == "" {
		return &engine.InvalidError{Option: "name", Reason: "empty"}
	}
	err := e.container(ctx, "rename container", id, http.MethodPost, "/rename", url.Values{"name": {name}}, nil, nil)
	if a, ok := errors.AsType[*engine.APIError](err); ok && strings.Contains(a.Message, "same name as its current name") {
		return nil
	}
	return err
}

// ContainerResize implements [engine.Containers].
func (e *Engine) ContainerResize(ctx context.Context, id string, size engine.Size) error {
	return e.container(ctx, "resize terminal of container", id, http.MethodPost, "/resize", sizeQuery(size), nil, nil)
}

func sizeQuery(size engine.Size) url.Values {
	return url.Values{"h": {strconv.Itoa(int(size.Rows))}, "w": {strconv.Itoa(int(size.Cols))}}
}
