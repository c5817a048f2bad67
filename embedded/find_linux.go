package embedded

import (
	"context"
	"errors"
	"strings"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// find returns the full ID of the container that ref means.
func (e *Engine) find(ctx context.Context, op, ref string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", because(ctx, op, ref, err)
	}
	name := strings.TrimPrefix(ref, "/")
	if name == "" {
		return "", &engine.InvalidError{Option: "container", Reason: "no name and no ID"}
	}
	id, err := e.store.Find(name)
	if errors.Is(err, engine.ErrNotFound) {
		return "", noContainer(op, ref)
	}
	return id, because(ctx, op, ref, err)
}

func noContainer(op, ref string) error {
	return fail(op, ref, engine.ErrNotFound, "No such container: %s", ref)
}

// snapshot returns the container that ref means as it is now. One whose monitor
// was killed is recovered first.
func (e *Engine) snapshot(ctx context.Context, op, ref string) (*state.Snapshot, error) {
	id, err := e.find(ctx, op, ref)
	if err != nil {
		return nil, err
	}
	s, err := e.state(ctx, id)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, noContainer(op, ref)
	}
	return s, because(ctx, op, ref, err)
}

// state reads a container by its full ID. One whose monitor was killed is
// recovered first, and started again if its restart policy says so. The result is
// shared with other calls: it is not to be changed.
func (e *Engine) state(ctx context.Context, id string) (*state.Snapshot, error) {
	s, err := e.store.State(id)
	if err != nil || !s.Lost {
		return s, err
	}
	if err := e.monitors.Recover(ctx, id); err != nil {
		return nil, err
	}
	if s, err = e.store.State(id); err != nil || !interrupted(s) {
		return s, err
	}
	e.revive(ctx, id)
	return e.store.State(id)
}

// all reads all containers.
func (e *Engine) all(ctx context.Context) ([]*state.Snapshot, error) {
	list, err := e.store.List()
	if err != nil {
		return nil, err
	}
	kept := list[:0]
	for _, s := range list {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if s.Lost {
			s, err = e.state(ctx, s.Config.ID)
			if errors.Is(err, engine.ErrNotFound) {
				continue // removed meanwhile
			}
			if err != nil {
				return nil, err
			}
		}
		kept = append(kept, s)
	}
	return kept, nil
}

// live tells that a container has a process.
func live(s *state.Snapshot) bool {
	if s.Run == nil || !s.Alive {
		return false
	}
	switch s.Run.Status {
	case engine.StatusRunning, engine.StatusPaused, engine.StatusStopping:
		return true
	}
	return false
}

// busy tells that a container has a process or is about to have one again.
func busy(s *state.Snapshot) bool {
	return live(s) || s.Alive && s.Run != nil && s.Run.Status == engine.StatusRestarting
}

func shortID(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	if len(id) > 12 {
		return id[:12]
	}
	return id
}
