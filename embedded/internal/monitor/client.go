//go:build linux

package monitor

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"

	_ "github.com/berthdev/berth/embedded/internal/monitor/server" // the role berth-monitor
)

// Client talks to monitors. Its fields are set before the first call and not
// changed after. Its methods are safe for concurrent use. Arguments named id
// are full IDs ([state.Store.Find]). Errors are those of package engine.
//
// No method wants the container's lock ([state.Store.Lock]) held, and none may be
// called while the caller holds it, but [Client.Recover] and [Client.Update]: Start, Restart and Retire
// take it themselves.
type Client struct {
	Store *state.Store
	// Exe is the program that monitors run, which must import this package; "" is this program itself.
	Exe string
	// NoForwardCheck and Rootless are options of the monitors' network.
	NoForwardCheck bool
	Rootless       bool
	// Log gets what is worth telling; nil is nothing.
	Log *slog.Logger

	mu   sync.Mutex
	seal *sealed
}

// Close releases the sealed program file. Monitors go on.
func (c *Client) Close() error { return c.closeSeal() }

// Init prepares the container up to, but without, running its command: it has a
// monitor that waits to be told to start. The network exists when Start does. A running container is ErrConflict.
func (c *Client) Init(ctx context.Context, id string) error { panic("TODO") }

// Start starts the container; a running one is a success, a paused one ErrConflict. It returns when
// execve has succeeded. A command that is missing or not executable is ErrCommandNotFound or ErrCommandNotExecutable; exit.json then
// has the code 127 or 126 and the message.
func (c *Client) Start(ctx context.Context, id string, opts engine.StartOptions) error { panic("TODO") }

// Stop sends the stop signal and, after the timeout, SIGKILL, and returns when the
// container has ended and its state says so. A stopped one is a success. It keeps restart policies from acting.
func (c *Client) Stop(ctx context.Context, id string, opts engine.StopOptions) error { panic("TODO") }

// Restart is Stop and Start in one, without the events of another start between.
func (c *Client) Restart(ctx context.Context, id string, opts engine.StopOptions) error {
	panic("TODO")
}

// Kill sends a signal, by name or number, "" is SIGKILL. A container that does not run is ErrNotRunning.
func (c *Client) Kill(ctx context.Context, id, signal string) error { panic("TODO") }

// Pause freezes the container; one that does not run is ErrNotRunning, a paused one ErrConflict.
func (c *Client) Pause(ctx context.Context, id string) error { panic("TODO") }

// Unpause lets it go on; one that is not paused is ErrConflict.
func (c *Client) Unpause(ctx context.Context, id string) error { panic("TODO") }

// Attach connects to the container's streams, as [engine.Containers] says, but for
// opts.Logs, which replays nothing here: the caller reads the log before (see AttachLogs).
func (c *Client) Attach(ctx context.Context, id string, opts engine.AttachOptions) (engine.Stream, error) {
	panic("TODO")
}

// Wait registers a wait with the monitor, or, for WaitRemoved, with the file system.
// For a condition that does not hold yet it starts a monitor where there is none.
// Exit.Code is -1 where the condition is not an end.
func (c *Client) Wait(ctx context.Context, id string, cond engine.WaitCondition) (engine.Waiter, error) {
	panic("TODO")
}

// Resize sets the size of the container's terminal; before the start, the size that it will have.
func (c *Client) Resize(ctx context.Context, id string, size engine.Size) error { panic("TODO") }

// ExecCreate prepares a command in the running container and returns the exec's ID,
// which begins with the container's first 32 digits.
func (c *Client) ExecCreate(ctx context.Context, id string, spec engine.ExecSpec) (string, error) {
	panic("TODO")
}

// ExecStart runs it. The Stream is nil with opts.Detach.
func (c *Client) ExecStart(ctx context.Context, exec string, opts engine.ExecStartOptions) (engine.Stream, error) {
	panic("TODO")
}

// ExecInspect tells about an exec, as long as the container runs and, until the next start or removal, after.
func (c *Client) ExecInspect(ctx context.Context, exec string) (*engine.ExecState, error) {
	panic("TODO")
}

// ExecResize sets the size of an exec's terminal.
func (c *Client) ExecResize(ctx context.Context, exec string, size engine.Size) error { panic("TODO") }

// ExecKill sends an exec's process a signal, "" is SIGKILL. One that is over is a success.
func (c *Client) ExecKill(ctx context.Context, exec, signal string) error { panic("TODO") }

// ExecIDs are the IDs of the container's execs that are not over, in the order of their creation.
func (c *Client) ExecIDs(ctx context.Context, id string) ([]string, error) { panic("TODO") }

// Healthcheck runs the health check now and returns its result, which counts as a scheduled run's.
func (c *Client) Healthcheck(ctx context.Context, id string) (engine.HealthResult, error) {
	panic("TODO")
}

// Update tells the monitor, if there is one, that container.json and config.json have
// been changed: it applies the resources, the restart policy and the health check.
// The caller holds the lock, has written both files, and puts the old ones back on an error. previous
// are the resources that were in force.
func (c *Client) Update(ctx context.Context, id string) error { panic("TODO") }

// Renamed tells the monitor, if there is one, the container's new name.
func (c *Client) Renamed(ctx context.Context, id string) error { panic("TODO") }

// Connect joins a running container to a network; the caller adds it to container.json, before. Of a container that does not run it does nothing.
func (c *Client) Connect(ctx context.Context, id string, ep engine.Endpoint) error { panic("TODO") }

// Disconnect takes a running container out of a network. Of a container that does not run it does nothing.
func (c *Client) Disconnect(ctx context.Context, id, network string, force bool) error {
	panic("TODO")
}

// Retire makes sure that nothing uses the container any more, so that it can be
// removed: a monitor without a running container ends its clients and goes. A running container is
// ErrConflict, unless force is set: it is stopped with the timeout, or killed if timeout is nil. On success the caller holds the
// container's lock, and calls unlock after store.Remove.
func (c *Client) Retire(ctx context.Context, id string, force bool, timeout *time.Duration) (unlock func(), err error) {
	panic("TODO")
}

// Recover records the end of a container whose monitor was killed (state.Snapshot.Lost): what is
// left of it is killed by its cgroup, network and cgroup are removed, exit.json says 137 and MonitorLost, or
// the code that the kernel still knows. It does nothing when nothing is lost.
func (c *Client) Recover(ctx context.Context, id string) error { panic("TODO") }
