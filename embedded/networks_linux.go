package embedded

import (
	"context"
	"maps"
	"slices"

	"github.com/berthdev/berth/embedded/internal/network"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// NetworkCreate implements [engine.Networks].
func (e *Engine) NetworkCreate(ctx context.Context, opts engine.NetworkCreateOptions) (*engine.NetworkAttrs, error) {
	n, err := e.networks.Create(ctx, opts)
	if err != nil {
		return nil, because(ctx, "create network", opts.Name, err)
	}
	e.networkEvent("create", n, nil)
	return n, nil
}

// NetworkInspect implements [engine.Networks].
func (e *Engine) NetworkInspect(ctx context.Context, name string) (*engine.NetworkAttrs, error) {
	const op = "inspect network"
	n, err := e.networks.Inspect(ctx, name)
	if err != nil {
		return nil, because(ctx, op, name, err)
	}
	all, err := e.all(ctx)
	if err != nil {
		return nil, because(ctx, op, name, err)
	}
	n.Containers = map[string]engine.NetworkContainer{}
	for _, s := range all {
		if !live(s) {
			continue
		}
		if ep, ok := s.Run.Networks[n.Name]; ok {
			n.Containers[s.Config.ID] = engine.NetworkContainer{Name: s.Config.Name, IPv4: ep.IPv4, IPv6: ep.IPv6, MACAddress: ep.MACAddress}
		}
	}
	return n, nil
}

// NetworkList implements [engine.Networks].
func (e *Engine) NetworkList(ctx context.Context, filters engine.Filters) ([]engine.NetworkAttrs, error) {
	list, err := e.networks.List(ctx, filters)
	return list, because(ctx, "list networks", "", err)
}

// NetworkRemove implements [engine.Networks].
func (e *Engine) NetworkRemove(ctx context.Context, name string, force bool) error {
	const op = "remove network"
	if force {
		return unsupported("NetworkRemoveOptions.Force", "true", "containers are removed or disconnected by their own calls")
	}
	n, err := e.networks.Inspect(ctx, name)
	if err != nil {
		return because(ctx, op, name, err)
	}
	users, err := e.networkUsers(ctx)
	if err == nil {
		err = e.networks.Remove(ctx, name, users)
	}
	if err != nil {
		return because(ctx, op, name, err)
	}
	e.networkEvent("destroy", n, nil)
	return nil
}

// NetworkPrune implements [engine.Networks].
func (e *Engine) NetworkPrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	const op = "prune networks"
	users, err := e.networkUsers(ctx)
	if err != nil {
		return engine.PruneReport{}, because(ctx, op, "", err)
	}
	report, err := e.networks.Prune(ctx, filters, users)
	for _, name := range report.Deleted {
		e.networkEvent("destroy", &engine.NetworkAttrs{Name: name, Driver: "bridge"}, nil)
	}
	return report, because(ctx, op, "", err)
}

// networkUsers tells the containers, running or not, that are to join a network.
func (e *Engine) networkUsers(ctx context.Context) (network.InUse, error) {
	all, err := e.all(ctx)
	if err != nil {
		return nil, err
	}
	return func(name, id string) []string {
		var out []string
		for _, s := range all {
			if joins(s.Config, name, id) {
				out = append(out, s.Config.Name)
			}
		}
		return out
	}, nil
}

func joins(cfg *state.Config, name, id string) bool {
	return slices.ContainsFunc(cfg.Networks, func(ep state.Endpoint) bool { return ep.Network == name || ep.Network == id })
}

// NetworkConnect implements [engine.Networks].
func (e *Engine) NetworkConnect(ctx context.Context, network, container string, ep engine.Endpoint) error {
	const op = "connect container"
	n, s, err := e.pair(ctx, op, network, container)
	if err != nil {
		return err
	}
	ep.Network = n.Name
	if err := e.networks.Check(ctx, []engine.Endpoint{ep}, nil); err != nil {
		return because(ctx, op, container, err)
	}
	id := s.Config.ID
	err = e.change(ctx, id, func(cfg *state.Config) error {
		switch {
		case cfg.Netns != "":
			return fail(op, container, engine.ErrConflict, "the container has no network namespace of its own (network mode %s)", cfg.Spec.NetworkMode)
		case joins(cfg, n.Name, n.ID):
			return fail(op, container, engine.ErrConflict, "the container is in network %s already", n.Name)
		}
		cfg.Networks = append(cfg.Networks, state.Endpoint{Endpoint: ep})
		return nil
	})
	if err != nil {
		return because(ctx, op, container, err)
	}
	if err := e.monitors.Connect(ctx, id, ep); err != nil {
		e.leave(id, n)
		return because(ctx, op, container, err)
	}
	e.networkEvent("connect", n, map[string]string{"container": id})
	return nil
}

// NetworkDisconnect implements [engine.Networks].
func (e *Engine) NetworkDisconnect(ctx context.Context, network, container string, force bool) error {
	const op = "disconnect container"
	n, s, err := e.pair(ctx, op, network, container)
	if err != nil {
		return err
	}
	if !joins(s.Config, n.Name, n.ID) {
		return fail(op, container, engine.ErrConflict, "the container is not in network %s", n.Name)
	}
	if err := e.monitors.Disconnect(ctx, s.Config.ID, n.Name, force); err != nil {
		return because(ctx, op, container, err)
	}
	if err := e.leave(s.Config.ID, n); err != nil {
		return because(ctx, op, container, err)
	}
	e.networkEvent("disconnect", n, map[string]string{"container": s.Config.ID})
	return nil
}

// pair finds a network and a container.
func (e *Engine) pair(ctx context.Context, op, network, container string) (*engine.NetworkAttrs, *state.Snapshot, error) {
	n, err := e.networks.Inspect(ctx, network)
	if err != nil {
		return nil, nil, because(ctx, op, container, err)
	}
	s, err := e.snapshot(ctx, op, container)
	return n, s, err
}

// leave takes a network out of a container's configuration.
func (e *Engine) leave(id string, n *engine.NetworkAttrs) error {
	return e.change(context.Background(), id, func(cfg *state.Config) error {
		cfg.Networks = slices.DeleteFunc(cfg.Networks, func(ep state.Endpoint) bool { return ep.Network == n.Name || ep.Network == n.ID })
		return nil
	})
}

// change changes a container's configuration under its lock.
func (e *Engine) change(ctx context.Context, id string, f func(cfg *state.Config) error) error {
	unlock, err := e.store.Lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	cfg, err := e.store.Config(id)
	if err != nil {
		return err
	}
	if err := f(cfg); err != nil {
		return err
	}
	return e.store.WriteConfig(cfg)
}

func (e *Engine) networkEvent(action string, n *engine.NetworkAttrs, attributes map[string]string) {
	attrs := map[string]string{"name": n.Name, "type": n.Driver}
	maps.Copy(attrs, attributes)
	e.emit(engine.Event{Type: "network", Action: action, ID: n.ID, Name: n.Name, Attributes: attrs})
}
