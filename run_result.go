package berth

import (
	"context"
	"errors"
	"fmt"

	"github.com/berthdev/berth/engine"
)

// result ends the run: it says what came of it and removes the container, which
// is the run's until then.
func (r *run) result(ctx context.Context, err error) (*Result, error) {
	res := &Result{
		Stdout: r.stdout.collected(), Stderr: r.stderr.collected(),
		Truncated: r.stdout.isTruncated() || r.stderr.isTruncated(),
		ExitCode:  -1,
	}
	if r.exit != nil {
		res.ExitCode = r.exit.Code
	}
	switch {
	case errors.Is(err, ErrDetached):
		res.Container = r.c
		return res, err
	case err != nil:
		if ctx.Err() != nil {
			err = fmt.Errorf("run %v: %w", r.c, err)
		}
		return res, r.c.discard(ctx, r.o.CleanupTimeout, err)
	case r.kind != nil:
		return res, r.c.discard(ctx, r.o.CleanupTimeout, r.exitError(res))
	case res.ExitCode == 0:
		return r.end(ctx, res, nil)
	}
	if !r.autoRemove {
		if attrs, err := r.c.inspect(ctx, engine.InspectOptions{}); err == nil {
			res.OOMKilled = attrs.State.OOMKilled
		}
	}
	return r.end(ctx, res, r.exitError(res))
}

// exitError is the error of a code other than 0.
func (r *run) exitError(res *Result) error {
	message := r.notStarted
	if message == "" {
		message = r.exit.Error
	}
	return &ExitError{
		Code: res.ExitCode, Stdout: r.stdout.last(), Stderr: r.stderr.last(),
		OOMKilled: res.OOMKilled, Container: r.c, Message: message, kind: r.kind,
	}
}

// end keeps or removes the container of a process that has ended. exit is nil or
// its ExitError.
func (r *run) end(ctx context.Context, res *Result, exit error) (*Result, error) {
	switch {
	case r.o.Keep:
		if r.exit.Code == 0 || r.c.Attrs() == nil {
			r.c.refresh(ctx)
		}
		res.Container = r.c
		return res, exit
	case r.autoRemove:
		if r.c.awaitRemoval(ctx, r.o.CleanupTimeout) {
			return res, exit
		}
	default:
		err := r.c.cli.e.ContainerRemove(ctx, r.c.id, engine.RemoveOptions{Force: true, Volumes: true})
		if err == nil || errors.Is(err, engine.ErrNotFound) {
			r.c.setGone()
			return res, exit
		}
	}
	return res, r.c.discard(ctx, r.o.CleanupTimeout, exit)
}
