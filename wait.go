package berth

import (
	"context"

	"github.com/berthdev/berth/engine"
)

// Wait waits for at most one condition, by default WaitNotRunning, and tells how
// the container ended. Where the condition is not an end, Exit.Code is -1. ctx
// bounds it.
//
// WaitNotRunning holds at once for a container that was never started, with code
// 0. See [Container.WaitFor] for health, ports and log lines.
func (c *Container) Wait(ctx context.Context, cond ...WaitCondition) (Exit, error) {
	what, err := atMostOne("Container.Wait", cond)
	if err != nil {
		return Exit{Code: -1}, err
	}
	if what == "" {
		what = engine.WaitNotRunning
	}
	if !what.Known() {
		return Exit{Code: -1}, &engine.InvalidError{Option: "WaitCondition", Value: string(what), Reason: "there is no such condition"}
	}
	w, err := c.cli.e.ContainerWait(ctx, c.id, what)
	if err != nil {
		return Exit{Code: -1}, err
	}
	defer w.Close()
	exit, err := w.Wait()
	if err != nil {
		if ctx.Err() != nil {
			err = contextError(ctx)
		}
		return Exit{Code: -1}, err
	}
	if what == engine.WaitRemoved {
		c.setGone()
	}
	return exit, nil
}
