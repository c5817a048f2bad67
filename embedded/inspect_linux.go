package embedded

import (
	"context"
	"errors"

	"github.com/berthdev/berth/embedded/internal/inspect"
	"github.com/berthdev/berth/embedded/internal/logs"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// ContainerInspect implements [engine.Containers].
func (e *Engine) ContainerInspect(ctx context.Context, id string, opts engine.InspectOptions) (*engine.Attrs, error) {
	const op = "inspect container"
	s, err := e.snapshot(ctx, op, id)
	if err != nil {
		return nil, err
	}
	x, err := e.extra(ctx, s, opts.Size)
	if err != nil {
		return nil, because(ctx, op, id, err)
	}
	a, err := inspect.Attrs(s, x)
	return a, because(ctx, op, id, err)
}

// extra is what inspect shows beside the container's state.
func (e *Engine) extra(ctx context.Context, s *state.Snapshot, size bool) (x inspect.Extra, err error) {
	cfg := s.Config
	x.Dir = e.store.Dir(cfg.ID)
	x.CgroupNS = "host" // Docker's default with cgroup v1
	if e.host.CgroupV2 {
		x.CgroupNS = "private"
	}
	if cfg.Log.Driver != "none" {
		x.LogPath = logs.Path(e.logDir(cfg.ID))
	}
	if live(s) && s.Run.Execs {
		// An end in the meantime leaves none.
		if x.ExecIDs, err = e.monitors.ExecIDs(ctx, cfg.ID); err != nil {
			if ctx.Err() != nil {
				return x, err
			}
			x.ExecIDs = nil
		}
	}
	if ns := cfg.Netns; !live(s) || ns == "host" || ns == "none" { // else its state has them
		x.NetworkIDs = map[string]string{}
		names := []string{cfg.Netns} // host and none are networks, too
		for _, ep := range cfg.Networks {
			names = append(names, ep.Network)
		}
		for _, network := range names {
			if network == "" {
				continue
			}
			if name, id, err := e.networks.Identify(ctx, network); err == nil {
				x.NetworkIDs[name] = id
			}
		}
	}
	if size {
		rw, root, err := e.sizes(ctx, cfg)
		if err != nil {
			return x, err
		}
		x.SizeRw, x.SizeRootFs = &rw, &root
	}
	return x, nil
}

// ContainerExists implements [engine.Containers].
func (e *Engine) ContainerExists(ctx context.Context, id string) (bool, error) {
	_, err := e.find(ctx, "find container", id)
	if errors.Is(err, engine.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
