package execkill

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/berthdev/berth/engine"
)

// Kill sends signal ("" is SIGKILL) to the process of the exec st, as
// ExecInspect has just described it. marker is NAME=VALUE that nothing but this process and
// what it started has in its environment, or "".
//
// A nil error means that the process got the signal, or is over. Where it lives on
// without it, or is yet to start, the error is an ExecAliveError, whose Err tells what was tried; its Cause is nil. A
// malformed signal is an InvalidError. ctx bounds the whole; its error is then in Err.
//
// A process that has just been started may still be the OCI runtime's, which ignores signals such as
// SIGUSR1: only SIGKILL works at once.
func Kill(ctx context.Context, e engine.Engine, st *engine.ExecState, signal, marker string) error {
	num := int(syscall.SIGKILL)
	if signal != "" {
		var err error
		if num, _, err = engine.ParseSignal(signal); err != nil {
			return err
		}
	}
	k := &killer{e: e, st: st, signal: num, marker: marker, proc: "/proc"}
	return k.kill(ctx)
}

// killer is one call of Kill.
type killer struct {
	e      engine.Engine
	st     *engine.ExecState
	signal int
	marker string
	proc   string // where procfs is
}

func (k *killer) kill(ctx context.Context) error {
	if over, err := k.settle(ctx); over || err != nil {
		return err
	}
	var tried []error
	for _, way := range [...]func(context.Context) error{k.byHostPID, k.byTop, k.byMarker} {
		err := way(ctx)
		if err == nil {
			return nil
		}
		tried = append(tried, err)
		if ctx.Err() != nil {
			break
		}
	}
	// It may have ended meanwhile, by itself or with its container.
	if ctx.Err() == nil && k.over(ctx) {
		return nil
	}
	if ctx.Err() != nil {
		tried = append(tried, contextError(ctx))
	}
	return k.alive(errors.Join(tried...))
}

// settle gives an engine that is about to start the process, which answers before it has done so, about a second to tell the process's
// ID. over is true when the process has ended.
func (k *killer) settle(ctx context.Context) (over bool, err error) {
	for wait := time.Millisecond; ; wait *= 2 {
		switch {
		case k.st.Started && !k.st.Running:
			return true, nil
		case k.st.Running && k.st.PID > 0:
			return false, nil
		case wait > 512*time.Millisecond && !k.st.Started:
			return false, k.alive(errors.New("it has not started yet"))
		case wait > 512*time.Millisecond:
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, k.alive(contextError(ctx))
		case <-time.After(wait):
		}
		st, err := k.e.ExecInspect(ctx, k.st.ID)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			return true, nil
		case err != nil:
			return false, k.alive(err)
		}
		k.st = st
	}
}

func (k *killer) alive(why error) error {
	return &engine.ExecAliveError{ExecID: k.st.ID, Container: k.st.ContainerID, PID: k.st.PID, Err: why}
}

// over tells that the process has certainly ended.
func (k *killer) over(ctx context.Context) bool {
	st, err := k.e.ExecInspect(ctx, k.st.ID)
	switch {
	case errors.Is(err, engine.ErrNotFound), err == nil && !st.Running:
		return true
	case err != nil:
		return false
	}
	// Podman keeps the exec of a container that has ended as running for a while.
	a, err := k.e.ContainerInspect(ctx, k.st.ContainerID, engine.InspectOptions{})
	return errors.Is(err, engine.ErrNotFound) || err == nil && a.State.Ended()
}

// same checks that the engine still has the process that k is about. gone is
// true when it has ended.
func (k *killer) same(ctx context.Context) (gone bool, err error) {
	st, err := k.e.ExecInspect(ctx, k.st.ID)
	switch {
	case errors.Is(err, engine.ErrNotFound), err == nil && !st.Running:
		return true, nil
	case err != nil:
		return false, err
	case st.PID != k.st.PID:
		return false, fmt.Errorf("the engine tells another process ID than before, %d and %d", k.st.PID, st.PID)
	}
	return false, nil
}

// contextError is the error of ctx, which is done, with its cause where that is another.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
