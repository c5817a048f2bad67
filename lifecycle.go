package berth

import (
	"context"
	"errors"

	"github.com/berthdev/berth/engine"
)

// Start starts the container; one that runs already is a success. It does not
// wait for anything: see [Container.Wait] and [Container.WaitFor]. A command that
// is missing in the image is [ErrCommandNotFound].
//
// [Containers.Start] is docker run -d, this is docker start.
func (c *Container) Start(ctx context.Context, opts ...StartOptions) error {
	o, err := atMostOne("Container.Start", opts)
	if err != nil {
		return err
	}
	return c.mutate(ctx, c.cli.e.ContainerStart(ctx, c.id, o))
}

// Stop asks the container's process to end and kills it when it has not after
// StopOptions.Timeout, else the container's own StopTimeout. It returns when the
// container has stopped; one that does not run is a success.
func (c *Container) Stop(ctx context.Context, opts ...StopOptions) error {
	o, err := atMostOne("Container.Stop", opts)
	if err != nil {
		return err
	}
	return c.mutate(ctx, c.cli.e.ContainerStop(ctx, c.id, o))
}

// Restart stops the container as [Container.Stop] does, and starts it. Without
// StopOptions.Timeout the container's StopTimeout holds, on every engine.
func (c *Container) Restart(ctx context.Context, opts ...StopOptions) error {
	o, err := atMostOne("Container.Restart", opts)
	if err != nil {
		return err
	}
	return c.mutate(ctx, c.cli.e.ContainerRestart(ctx, c.id, o))
}

// Kill sends a signal to the container's process and does not wait for its
// effect. signal is a name with or without SIG ("HUP", "SIGTERM", "RTMIN+3") or a
// number ("9"); "" is SIGKILL. A container that does not run is [ErrNotRunning].
func (c *Container) Kill(ctx context.Context, signal string) error {
	if signal != "" {
		if _, _, err := engine.ParseSignal(signal); err != nil {
			return err
		}
	}
	return c.mutate(ctx, c.cli.e.ContainerKill(ctx, c.id, signal))
}

// Pause freezes the container's processes.
func (c *Container) Pause(ctx context.Context) error {
	return c.mutate(ctx, c.cli.e.ContainerPause(ctx, c.id))
}

// Unpause lets them go on.
func (c *Container) Unpause(ctx context.Context) error {
	return c.mutate(ctx, c.cli.e.ContainerUnpause(ctx, c.id))
}

// Init prepares the container up to, but without, running its command. Docker
// does not have it: an [UnsupportedError].
func (c *Container) Init(ctx context.Context) error {
	return c.mutate(ctx, c.cli.e.ContainerInit(ctx, c.id))
}

// Rename gives the container a new name; its own name is a success, another's is
// [ErrConflict].
func (c *Container) Rename(ctx context.Context, name string) error {
	if err := checkName("Container.Rename", name); err != nil {
		return err
	}
	return c.mutate(ctx, c.cli.e.ContainerRename(ctx, c.id, name))
}

// Resize sets the size of the container's terminal. It changes nothing that a
// snapshot shows.
func (c *Container) Resize(ctx context.Context, size Size) error {
	if size.Rows == 0 || size.Cols == 0 {
		return &engine.InvalidError{Option: "Container.Resize", Reason: "rows and columns must be positive"}
	}
	return c.cli.e.ContainerResize(ctx, c.id, size)
}

// Update changes limits, restart policy or health check. Fields that are nil stay
// as they are; a zero that this engine would ignore is an [UnsupportedError].
func (c *Container) Update(ctx context.Context, u Update) (UpdateResult, error) {
	res, err := c.cli.e.ContainerUpdate(ctx, c.id, u)
	return res, c.mutate(ctx, err)
}

// Remove removes the container. One that runs is [ErrConflict] without
// RemoveOptions.Force. Its anonymous volumes stay without RemoveOptions.Volumes.
func (c *Container) Remove(ctx context.Context, opts ...RemoveOptions) error {
	o, err := atMostOne("Container.Remove", opts)
	if err != nil {
		return err
	}
	err = c.cli.e.ContainerRemove(ctx, c.id, o)
	if err == nil && !o.Link || errors.Is(err, engine.ErrNotFound) {
		c.setGone()
	}
	return err
}

// mutate ends a call that changes the container: with a new snapshot if it
// succeeded, else with its error.
func (c *Container) mutate(ctx context.Context, err error) error {
	switch {
	case err == nil:
		c.refresh(ctx)
	case ctx.Err() != nil:
		c.setStale() // whether the engine has done it is not known
	case errors.Is(err, engine.ErrNotFound) && !c.cli.noRefresh:
		c.refresh(ctx) // is it the container that is gone, or something else?
	}
	return err
}

// checkName refuses the empty name, which engines take for another endpoint.
func checkName(call, name string) error {
	if name == "" {
		return &engine.InvalidError{Option: call, Reason: "empty name or ID"}
	}
	return nil
}
