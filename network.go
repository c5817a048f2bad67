package berth

import (
	"context"
	"strings"
	"sync/atomic"
)

// Network is a handle of one network. It need not be closed, and is safe for concurrent use.
type Network struct {
	cli      *Client
	id, name string
	attrs    atomic.Pointer[NetworkAttrs]
}

// ID is the network's ID.
func (n *Network) ID() string { return n.id }

// ShortID is the first 12 characters of the ID.
func (n *Network) ShortID() string { return n.id[:min(12, len(n.id))] }

// Name is the network's name.
func (n *Network) Name() string { return n.name }

// Labels are the network's labels as of the last snapshot. The map must not be written to.
func (n *Network) Labels() map[string]string { return n.attrs.Load().Labels }

// Attrs is the last snapshot. It is immutable.
func (n *Network) Attrs() *NetworkAttrs { return n.attrs.Load() }

// Reload takes a new snapshot, with the containers in the network.
func (n *Network) Reload(ctx context.Context) error {
	attrs, err := n.cli.e.NetworkInspect(ctx, n.id)
	if err == nil {
		n.attrs.Store(attrs)
	}
	return err
}

// Connect connects a container, by name or ID, to the network, as at most one Endpoint says.
func (n *Network) Connect(ctx context.Context, container string, endpoint ...Endpoint) error {
	return n.cli.Networks.Connect(ctx, n.id, container, endpoint...)
}

// Disconnect takes a container, by name or ID, out of the network.
func (n *Network) Disconnect(ctx context.Context, container string, opts ...NetworkDisconnectOptions) error {
	return n.cli.Networks.Disconnect(ctx, n.id, container, opts...)
}

// Remove removes the network. See [Networks.Remove].
func (n *Network) Remove(ctx context.Context, opts ...NetworkRemoveOptions) error {
	return n.cli.Networks.Remove(ctx, n.id, opts...)
}

// Equal tells whether both are handles of the same network of the same engine.
func (n *Network) Equal(o *Network) bool {
	if n == nil || o == nil {
		return n == o
	}
	return n.id == o.id && n.cli.sameEngine(o.cli)
}

// String is Network(0123456789ab name).
func (n *Network) String() string {
	return "Network(" + strings.TrimSpace(n.ShortID()+" "+n.name) + ")"
}
