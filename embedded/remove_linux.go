package embedded

import (
	"context"
	"errors"
	"fmt"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

const opRemove = "remove container"

// ContainerRemove implements [engine.Containers].
func (e *Engine) ContainerRemove(ctx context.Context, id string, opts engine.RemoveOptions) error {
	switch {
	case opts.Link:
		return unsupported("RemoveOptions.Link", "true", "the engine has no legacy links")
	case opts.Depend:
		return unsupported("RemoveOptions.Depend", "true", "no container depends on another's existence")
	}
	s, err := e.snapshot(ctx, opRemove, id)
	if err != nil {
		return err
	}
	return because(ctx, opRemove, id, e.remove(ctx, s, opts))
}

// remove removes a container, and its anonymous volumes if opts says so.
func (e *Engine) remove(ctx context.Context, s *state.Snapshot, opts engine.RemoveOptions) error {
	cfg := s.Config
	unlock, err := e.retire(ctx, s, opts)
	if err != nil {
		return err
	}
	if now, err := e.store.Peek(cfg.ID); err == nil {
		cfg = now // renamed meanwhile
	}
	err = e.store.Remove(cfg.ID)
	unlock()
	if err != nil {
		return err
	}
	if opts.Volumes {
		err = e.removeVolumes(ctx, cfg)
	}
	e.containerEvent("destroy", cfg, nil)
	return err
}

// retire ends the container's process, if that may be, and returns with the container's lock held.
func (e *Engine) retire(ctx context.Context, s *state.Snapshot, opts engine.RemoveOptions) (unlock func(), err error) {
	if s.Err != nil && !s.Alive {
		// Nobody knows what it is: its files can go.
		if err := e.networks.Release(ctx, s.Config.ID); err != nil {
			return nil, err
		}
		return e.store.Lock(ctx, s.Config.ID)
	}
	return e.monitors.Retire(ctx, s.Config.ID, opts.Force, opts.Timeout)
}

// removeVolumes removes a container's anonymous volumes, but those that another container has too.
func (e *Engine) removeVolumes(ctx context.Context, cfg *state.Config) error {
	var errs []error
	for _, m := range cfg.Mounts {
		if !m.Anonymous || m.Type != engine.MountVolume || m.Name == "" {
			continue
		}
		switch err := e.volumes.Remove(ctx, m.Name, true, e.volumeUsers); {
		case err == nil:
			e.volumeEvent("destroy", m.Name, map[string]string{"driver": "local"})
		case !errors.Is(err, engine.ErrConflict) && !errors.Is(err, engine.ErrNotFound):
			errs = append(errs, fmt.Errorf("remove volume %s: %w", m.Name, err))
		}
	}
	return errors.Join(errs...)
}
