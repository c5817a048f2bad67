package berth

import (
	"context"
	"iter"

	"github.com/berthdev/berth/engine"
)

// followSize gives the container's terminal its size, and then every size that
// resizes yields, until ctx ends. A container that has ended takes none, which is
// no failure.
func (c *Container) followSize(ctx context.Context, size Size, resizes func(context.Context) iter.Seq[Size]) {
	c.tryResize(ctx, size)
	if resizes == nil {
		return
	}
	for size := range resizes(ctx) {
		if ctx.Err() != nil {
			return
		}
		c.tryResize(ctx, size)
	}
}

// tryResize tells whether there is nothing more to do about a size.
func (c *Container) tryResize(ctx context.Context, size Size) bool {
	if size.Rows == 0 || size.Cols == 0 {
		return true
	}
	err := c.cli.e.ContainerResize(ctx, c.id, size)
	if err != nil {
		c.cli.log.DebugContext(ctx, "resize terminal", "container", c.id, "error", err)
	}
	return err == nil
}

// detachKeys are the bytes of the keys that leave a terminal: those of the call,
// else of the user's configuration, else the engines' own.
func (cli *Client) detachKeys(keys string) ([]byte, error) {
	if keys == "" {
		keys, _ = cli.config.DetachKeys() // a mistake in the file was logged by New
	}
	return engine.ParseDetachKeys(keys)
}
