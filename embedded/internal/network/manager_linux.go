package network

import (
	"context"
	"errors"
	"time"

	"github.com/berthdev/berth/engine"
)

// Manager knows the networks of one state directory. It is safe for concurrent
// use, also by several processes; it holds no descriptor and no goroutine.
type Manager struct {
	root, run string
	opts      Options
}

// Open makes the directories root/networks and run/net if they do not exist.
// run is the run directory of this boot.
func Open(root, run string, opts Options) (*Manager, error) {
	return &Manager{root: root, run: run, opts: opts}, nil
}

var errTODO = errors.New("network: not there yet")

// Create makes a network. The name of another network is ErrConflict, and so is a subnet of another network.
func (m *Manager) Create(ctx context.Context, opts engine.NetworkCreateOptions) (*engine.NetworkAttrs, error) {
	return nil, errTODO
}

// Inspect finds a network by name, ID or unique start of the ID.
func (m *Manager) Inspect(ctx context.Context, ref string) (*engine.NetworkAttrs, error) {
	return nil, errTODO
}

// List returns networks sorted by name, "bridge", "host" and "none" among them, without their containers.
func (m *Manager) List(ctx context.Context, filters engine.Filters) ([]engine.NetworkAttrs, error) {
	return nil, errTODO
}

// Remove removes a network, its bridge and its rules. One with a container in it, or one that inUse says is used, is ErrConflict.
func (m *Manager) Remove(ctx context.Context, ref string, inUse InUse) error { return errTODO }

// Prune removes the networks that nobody uses.
func (m *Manager) Prune(ctx context.Context, filters engine.Filters, inUse InUse) (engine.PruneReport, error) {
	return engine.PruneReport{}, errTODO
}

// Check says whether a container could join: the networks exist, the addresses lie in them. It changes nothing.
func (m *Manager) Check(ctx context.Context, endpoints []engine.Endpoint, ports []engine.PortMapping) error {
	return nil
}

// Connect joins a container to its networks and publishes its ports. When it fails nothing is left.
// The Session must be closed when the container has ended.
func (m *Manager) Connect(ctx context.Context, r Request) (*Result, *Session, error) {
	return nil, nil, errTODO
}

// Release cleans up what a container has left: it may be called at any time after the container has ended, any number of times, by any process.
func (m *Manager) Release(ctx context.Context, containerID string) error { return errTODO }

// Sweep removes the bridges that have had no container for the time idle, and with the last of them the table. It waits for
// that, so it is the last thing a monitor does, when nobody waits for it any more; if another process
// sweeps already, it returns at once. idle 0 does not wait.
func (m *Manager) Sweep(ctx context.Context, idle time.Duration) error { return nil }
