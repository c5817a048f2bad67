package berth

import (
	"context"
	"errors"
	"time"

	"github.com/berthdev/berth/engine"
)

// discardPause is the time between two attempts to remove a container that the
// engine is busy with.
const discardPause = 50 * time.Millisecond

// discard removes a container that a failed call owned, also when ctx has ended,
// and returns cause; or an OrphanError of cause where the removal fails. d bounds
// it as in [Client.cleanup].
func (c *Container) discard(ctx context.Context, d time.Duration, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cli.cleanup(d))
	defer cancel()
	if err := c.removeAnyhow(ctx); err != nil {
		return &OrphanError{Container: c, Cause: cause, Cleanup: err}
	}
	return cause
}

// removeAnyhow removes the container and its anonymous volumes, whatever its
// state, until ctx ends. That it is gone already is a success.
func (c *Container) removeAnyhow(ctx context.Context) error {
	for {
		err := c.cli.e.ContainerRemove(ctx, c.id, engine.RemoveOptions{Force: true, Volumes: true})
		switch {
		case err == nil || errors.Is(err, engine.ErrNotFound):
			c.setGone()
			return nil
		case !errors.Is(err, engine.ErrConflict):
			return err
		}
		// It is being removed already, as by AutoRemove, or started.
		if sleep(ctx, discardPause) != nil {
			return err
		}
	}
}

// awaitRemoval waits until the engine has removed a container by itself, and tells
// whether it has within d, as of [Client.cleanup].
func (c *Container) awaitRemoval(ctx context.Context, d time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, c.cli.cleanup(d))
	defer cancel()
	w, err := c.cli.e.ContainerWait(ctx, c.id, engine.WaitRemoved)
	if err == nil {
		_, err = w.Wait()
		w.Close()
	}
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return false
	}
	c.setGone()
	return true
}
