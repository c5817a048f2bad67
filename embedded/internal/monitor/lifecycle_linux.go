package monitor

import (
	"context"
	"errors"
	"time"

	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/engine"
)

// Init prepares the container up to, but without, running its command: it has a
// monitor that waits to be told to start. The network exists when Start does. A running container is ErrConflict.
func (c *Client) Init(ctx context.Context, id string) error {
	_, err := c.call(ctx, id, "initialize container", &proto.Request{Op: proto.OpInit}, true)
	return err
}

// Start starts the container; a running one is a success, a paused one ErrConflict. It returns when
// execve has succeeded. A command that is missing or not executable is ErrCommandNotFound or ErrCommandNotExecutable; exit.json then
// has the code 127 or 126 and the message.
func (c *Client) Start(ctx context.Context, id string, opts engine.StartOptions) error {
	c.starts.Add(1)
	defer c.starts.Add(-1)
	_, err := c.call(ctx, id, "start container", &proto.Request{Op: proto.OpStart, Keys: opts.DetachKeys}, true)
	return err
}

// Stop sends the stop signal and, after the timeout, SIGKILL, and returns when the
// container has ended and its state says so. A stopped one is a success. It keeps restart policies from acting.
// If ctx ends before, the stopping goes on.
func (c *Client) Stop(ctx context.Context, id string, opts engine.StopOptions) error {
	_, err := c.call(ctx, id, "stop container", &proto.Request{Op: proto.OpStop, Signal: opts.Signal, Timeout: opts.Timeout}, false)
	if errors.Is(err, errNoMonitor) {
		return nil
	}
	return err
}

// Restart is Stop and Start in one, without the events of another start between.
func (c *Client) Restart(ctx context.Context, id string, opts engine.StopOptions) error {
	_, err := c.call(ctx, id, "restart container", &proto.Request{Op: proto.OpRestart, Signal: opts.Signal, Timeout: opts.Timeout}, true)
	return err
}

// Kill sends a signal, by name or number, "" is SIGKILL, which returns when the container has ended. A container that does not run is ErrNotRunning.
func (c *Client) Kill(ctx context.Context, id, signal string) error {
	return c.ofRunning(ctx, id, "kill container", &proto.Request{Op: proto.OpKill, Signal: signal})
}

// Pause freezes the container; one that does not run is ErrNotRunning, a paused one ErrConflict.
func (c *Client) Pause(ctx context.Context, id string) error {
	return c.ofRunning(ctx, id, "pause container", &proto.Request{Op: proto.OpPause})
}

// Unpause lets it go on; one that is not paused is ErrConflict.
func (c *Client) Unpause(ctx context.Context, id string) error {
	return c.ofRunning(ctx, id, "unpause container", &proto.Request{Op: proto.OpUnpause})
}

// Resize sets the size of the container's terminal; before the start, the size that it will have.
func (c *Client) Resize(ctx context.Context, id string, size engine.Size) error {
	return c.ofRunning(ctx, id, "resize container", &proto.Request{Op: proto.OpResize, Size: size})
}

// ofRunning makes a call to the monitor of a container that runs.
func (c *Client) ofRunning(ctx context.Context, id, op string, q *proto.Request) error {
	_, err := c.call(ctx, id, op, q, false)
	if errors.Is(err, errNoMonitor) {
		return notRunning(op, id)
	}
	return err
}

// ifThere makes a call to the monitor if there is one.
func (c *Client) ifThere(ctx context.Context, id, op string, q *proto.Request) error {
	_, err := c.call(ctx, id, op, q, false)
	if errors.Is(err, errNoMonitor) {
		return nil
	}
	return err
}

// Healthcheck runs the health check now and returns its result, which counts as a scheduled run's.
func (c *Client) Healthcheck(ctx context.Context, id string) (engine.HealthResult, error) {
	const op = "run health check of container"
	a, err := c.call(ctx, id, op, &proto.Request{Op: proto.OpHealth}, false)
	switch {
	case errors.Is(err, errNoMonitor):
		return engine.HealthResult{}, notRunning(op, id)
	case err != nil:
		return engine.HealthResult{}, err
	case a.Health == nil:
		return engine.HealthResult{}, notRunning(op, id)
	}
	return *a.Health, nil
}

// Update tells the monitor, if there is one, that container.json and config.json have
// been changed: it applies the resources, the restart policy and the health check.
// The caller holds the lock, has written both files, and puts the old ones back on an error.
func (c *Client) Update(ctx context.Context, id string) error {
	return c.ifThere(ctx, id, "update container", &proto.Request{Op: proto.OpUpdate})
}

// Renamed tells the monitor, if there is one, that the container has another name now.
func (c *Client) Renamed(ctx context.Context, id string) error {
	return c.ifThere(ctx, id, "rename container", &proto.Request{Op: proto.OpRenamed})
}

// Connect joins a running container to a network; the caller adds it to container.json, before. Of a container that does not run it does nothing.
func (c *Client) Connect(ctx context.Context, id string, ep engine.Endpoint) error {
	return c.ifThere(ctx, id, "connect container", &proto.Request{Op: proto.OpConnect, Point: &ep})
}

// Disconnect takes a running container out of a network. Of a container that does not run it does nothing.
func (c *Client) Disconnect(ctx context.Context, id, network string, force bool) error {
	return c.ifThere(ctx, id, "disconnect container", &proto.Request{Op: proto.OpDisconnect, Network: network, Force: force})
}

// Retire makes sure that nothing uses the container any more, so that it can be
// removed: a monitor without a running container ends its clients and goes. A running container is
// ErrConflict, unless force is set: it is stopped with the timeout, or killed if timeout is nil. On success the caller holds the
// container's lock, and calls unlock after store.Remove.
func (c *Client) Retire(ctx context.Context, id string, force bool, timeout *time.Duration) (unlock func(), err error) {
	const op = "remove container"
	for {
		if unlock, err = c.Store.Lock(ctx, id); err != nil {
			return nil, err
		}
		err = c.ifThere(ctx, id, op, &proto.Request{Op: proto.OpRetire})
		if err == nil {
			return unlock, nil
		}
		unlock()
		if !force || !errors.Is(err, engine.ErrConflict) {
			return nil, err
		}
		if timeout != nil {
			err = c.Stop(ctx, id, engine.StopOptions{Timeout: timeout})
		} else if err = c.Kill(ctx, id, ""); errors.Is(err, engine.ErrNotRunning) {
			err = c.Stop(ctx, id, engine.StopOptions{Timeout: new(time.Duration(0))}) // it waits for its restart
		}
		if err != nil {
			return nil, err
		}
	}
}

func notRunning(op, id string) error {
	return &engine.APIError{Engine: "embedded", Op: op, Object: id, Message: "container " + id + " is not running", Kind: engine.ErrNotRunning}
}
