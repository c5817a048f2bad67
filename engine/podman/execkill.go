package podman

import (
	"context"
	"net/http"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/execkill"
	"github.com/berthdev/berth/internal/wire"
)

// ExecKill implements [engine.Execs]. The process is killed by its ID, or by a kill in the container, so that its exit code is kept. Where neither can be done, an engine since 4.8 is asked to remove the exec, which
// ends the process (with SIGTERM, and after the container's StopTimeout with SIGKILL) and forgets it: ExecInspect then finds nothing.
func (e *Engine) ExecKill(ctx context.Context, id, signal string) error {
	st, err := e.ExecInspect(ctx, id)
	if err != nil {
		return err
	}
	err = execkill.Kill(ctx, e, st, signal, "")
	if err == nil || signal != "" || e.version < vExecRemove || ctx.Err() != nil {
		return err
	}
	rerr := e.removeExec(ctx, id)
	if rerr == nil || isNotFound(rerr) {
		return nil
	}
	return &engine.ExecAliveError{ExecID: id, Container: st.ContainerID, PID: st.PID, Cause: err, Err: rerr}
}

// removeExec makes the engine end an exec and forget it.
func (e *Engine) removeExec(ctx context.Context, id string) error {
	path, err := objectPath("exec", "/exec/", id, "/remove")
	if err != nil {
		return err
	}
	body := struct{ Force bool }{true}
	return e.call(ctx, op{"remove exec", id}, wire.Request{Method: http.MethodPost, Path: path, JSON: body}, nil)
}
