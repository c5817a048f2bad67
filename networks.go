package berth

import (
	"context"

	"github.com/berthdev/berth/engine"
)

// Networks makes, finds and removes networks and connects containers to them. It
// is [Client].Networks, and safe for concurrent use.
//
// Arguments named network and container take a name or an ID.
type Networks struct{ cli *Client }

// Create makes a network. A taken name is an [ErrConflict].
func (s *Networks) Create(ctx context.Context, opts NetworkCreateOptions) (*Network, error) {
	if opts.Name == "" {
		return nil, &InvalidError{Option: "NetworkCreateOptions.Name", Reason: "is empty"}
	}
	return s.cli.network(s.cli.e.NetworkCreate(ctx, opts))
}

// Get looks a network up. A missing one is an [ErrNotFound].
func (s *Networks) Get(ctx context.Context, network string) (*Network, error) {
	if err := checkName("Networks.Get", network); err != nil {
		return nil, err
	}
	return s.cli.network(s.cli.e.NetworkInspect(ctx, network))
}

// List lists networks with one request, at most one Filters value choosing some (label, name, driver). The containers in
// them are not told: see Get.
func (s *Networks) List(ctx context.Context, filters ...Filters) ([]*Network, error) {
	f, err := atMostOne("Networks.List", filters)
	if err != nil {
		return nil, err
	}
	attrs, err := s.cli.e.NetworkList(ctx, f)
	if err != nil {
		return nil, err
	}
	list := make([]*Network, len(attrs))
	for i := range attrs {
		list[i], _ = s.cli.network(&attrs[i], nil)
	}
	return list, nil
}

// Connect connects a container to a network, as at most one Endpoint says.
func (s *Networks) Connect(ctx context.Context, network, container string, endpoint ...Endpoint) error {
	ep, err := atMostOne("Networks.Connect", endpoint)
	if err == nil {
		err = checkNames("Networks.Connect", network, container)
	}
	if err != nil {
		return err
	}
	return s.cli.e.NetworkConnect(ctx, network, container, ep)
}

// NetworkDisconnectOptions say how to disconnect a container.
type NetworkDisconnectOptions struct {
	Force bool // also one that the engine has lost track of
}

// Disconnect takes a container out of a network.
func (s *Networks) Disconnect(ctx context.Context, network, container string, opts ...NetworkDisconnectOptions) error {
	o, err := atMostOne("Networks.Disconnect", opts)
	if err == nil {
		err = checkNames("Networks.Disconnect", network, container)
	}
	if err != nil {
		return err
	}
	return s.cli.e.NetworkDisconnect(ctx, network, container, o.Force)
}

// NetworkRemoveOptions say how to remove a network.
type NetworkRemoveOptions struct {
	Force bool // remove the containers in it, and pods, too. Podman
}

// Remove removes a network. One that a container uses is an [ErrConflict].
func (s *Networks) Remove(ctx context.Context, network string, opts ...NetworkRemoveOptions) error {
	o, err := atMostOne("Networks.Remove", opts)
	if err == nil {
		err = checkName("Networks.Remove", network)
	}
	if err != nil {
		return err
	}
	return s.cli.e.NetworkRemove(ctx, network, o.Force)
}

// Prune removes networks that no container uses, at most one Filters value choosing some (label, until). The report holds what was
// removed also when the error is not nil.
func (s *Networks) Prune(ctx context.Context, filters ...Filters) (PruneReport, error) {
	f, err := atMostOne("Networks.Prune", filters)
	if err != nil {
		return PruneReport{}, err
	}
	return s.cli.e.NetworkPrune(ctx, f)
}

// network makes the handle of what an engine returned.
func (cli *Client) network(attrs *engine.NetworkAttrs, err error) (*Network, error) {
	if err != nil {
		return nil, err
	}
	n := &Network{cli: cli, id: attrs.ID, name: attrs.Name}
	n.attrs.Store(attrs)
	return n, nil
}

// checkNames is checkName for several.
func checkNames(call string, names ...string) error {
	for _, name := range names {
		if err := checkName(call, name); err != nil {
			return err
		}
	}
	return nil
}
