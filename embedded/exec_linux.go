package embedded

import (
	"context"

	"github.com/berthdev/berth/engine"
)

// ExecCreate implements [engine.Execs].
func (e *Engine) ExecCreate(ctx context.Context, container string, spec engine.ExecSpec) (string, error) {
	const op = "create exec in container"
	if len(spec.Cmd) == 0 || spec.Cmd[0] == "" {
		return "", &engine.InvalidError{Option: "ExecSpec.Cmd", Reason: "no command"}
	}
	var exec string
	err := e.on(ctx, op, container, func(id string) (err error) {
		exec, err = e.monitors.ExecCreate(ctx, id, spec)
		return err
	})
	return exec, err
}

// ExecRun implements [engine.ExecRunner].
func (e *Engine) ExecRun(ctx context.Context, container string, spec engine.ExecSpec, opts engine.ExecStartOptions) (exec string, s engine.Stream, err error) {
	const op = "create exec in container"
	if len(spec.Cmd) == 0 || spec.Cmd[0] == "" {
		return "", nil, &engine.InvalidError{Option: "ExecSpec.Cmd", Reason: "no command"}
	}
	id, err := e.find(ctx, op, container)
	if err != nil {
		return "", nil, err
	}
	exec, s, err = e.monitors.ExecRun(ctx, id, spec, opts)
	if exec == "" {
		return "", nil, because(ctx, op, container, err)
	}
	return exec, s, because(ctx, "start exec", exec, err)
}

// ExecStart implements [engine.Execs].
func (e *Engine) ExecStart(ctx context.Context, id string, opts engine.ExecStartOptions) (engine.Stream, error) {
	s, err := e.monitors.ExecStart(ctx, id, opts)
	return s, because(ctx, "start exec", id, err)
}

// ExecInspect implements [engine.Execs].
func (e *Engine) ExecInspect(ctx context.Context, id string) (*engine.ExecState, error) {
	s, err := e.monitors.ExecInspect(ctx, id)
	return s, because(ctx, "inspect exec", id, err)
}

// ExecResize implements [engine.Execs].
func (e *Engine) ExecResize(ctx context.Context, id string, size engine.Size) error {
	return because(ctx, "resize exec", id, e.monitors.ExecResize(ctx, id, size))
}

// ExecKill implements [engine.Execs].
func (e *Engine) ExecKill(ctx context.Context, id, signal string) error {
	if signal != "" {
		if _, _, err := engine.ParseSignal(signal); err != nil {
			return err
		}
	}
	return because(ctx, "kill exec", id, e.monitors.ExecKill(ctx, id, signal))
}
