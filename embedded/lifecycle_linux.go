package embedded

import (
	"context"

	"github.com/berthdev/berth/engine"
)

// on finds a container and does something to it.
func (e *Engine) on(ctx context.Context, op, ref string, f func(id string) error) error {
	id, err := e.find(ctx, op, ref)
	if err != nil {
		return err
	}
	return because(ctx, op, ref, f(id))
}

// ContainerStart implements [engine.Containers].
func (e *Engine) ContainerStart(ctx context.Context, id string, opts engine.StartOptions) error {
	return e.on(ctx, "start container", id, func(id string) error { return e.monitors.Start(ctx, id, opts) })
}

// ContainerStop implements [engine.Containers].
func (e *Engine) ContainerStop(ctx context.Context, id string, opts engine.StopOptions) error {
	return e.on(ctx, "stop container", id, func(id string) error { return e.monitors.Stop(ctx, id, opts) })
}

// ContainerRestart implements [engine.Containers].
func (e *Engine) ContainerRestart(ctx context.Context, id string, opts engine.StopOptions) error {
	return e.on(ctx, "restart container", id, func(id string) error { return e.monitors.Restart(ctx, id, opts) })
}

// ContainerKill implements [engine.Containers].
func (e *Engine) ContainerKill(ctx context.Context, id, signal string) error {
	if signal != "" {
		if _, _, err := engine.ParseSignal(signal); err != nil {
			return err
		}
	}
	return e.on(ctx, "kill container", id, func(id string) error { return e.monitors.Kill(ctx, id, signal) })
}

// ContainerPause implements [engine.Containers].
func (e *Engine) ContainerPause(ctx context.Context, id string) error {
	return e.on(ctx, "pause container", id, func(id string) error { return e.monitors.Pause(ctx, id) })
}

// ContainerUnpause implements [engine.Containers].
func (e *Engine) ContainerUnpause(ctx context.Context, id string) error {
	return e.on(ctx, "unpause container", id, func(id string) error { return e.monitors.Unpause(ctx, id) })
}

// ContainerInit implements [engine.Containers].
func (e *Engine) ContainerInit(ctx context.Context, id string) error {
	return e.on(ctx, "initialize container", id, func(id string) error { return e.monitors.Init(ctx, id) })
}

// ContainerResize implements [engine.Containers].
func (e *Engine) ContainerResize(ctx context.Context, id string, size engine.Size) error {
	return e.on(ctx, "resize container", id, func(id string) error { return e.monitors.Resize(ctx, id, size) })
}

// ContainerHealthcheck implements [engine.Containers].
func (e *Engine) ContainerHealthcheck(ctx context.Context, id string) (engine.HealthResult, error) {
	var res engine.HealthResult
	err := e.on(ctx, "run health check of container", id, func(id string) (err error) {
		res, err = e.monitors.Healthcheck(ctx, id)
		return err
	})
	return res, err
}

// ContainerWait implements [engine.Containers].
func (e *Engine) ContainerWait(ctx context.Context, id string, cond engine.WaitCondition) (engine.Waiter, error) {
	const op = "wait for container"
	if cond == "" {
		cond = engine.WaitNotRunning
	}
	if !cond.Known() {
		return nil, &engine.InvalidError{Option: "condition", Value: string(cond), Reason: "there is no such condition"}
	}
	s, err := e.snapshot(ctx, op, id) // recovers it
	if err != nil {
		return nil, err
	}
	w, err := e.monitors.Wait(ctx, s.Config.ID, cond)
	return w, because(ctx, op, id, err)
}
