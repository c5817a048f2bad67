package berth

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/berthdev/berth/engine"
)

// Status asks the engine for the container's state. [Attrs].State.Raw has the
// engine's own word.
func (c *Container) Status(ctx context.Context) (Status, error) {
	attrs, err := c.inspect(ctx, engine.InspectOptions{})
	if err != nil {
		return StatusUnknown, err
	}
	return attrs.State.Status, nil
}

// Top lists the container's processes. A container that does not run is
// [ErrNotRunning].
func (c *Container) Top(ctx context.Context, opts ...TopOptions) (*Top, error) {
	o, err := atMostOne("Container.Top", opts)
	if err != nil {
		return nil, err
	}
	return c.cli.e.ContainerTop(ctx, c.id, o)
}

// TopStreamOptions say how to list processes again and again.
type TopStreamOptions struct {
	// Args of ps(1), as in [TopOptions].
	Args []string
	// Interval between two lists; 0 is 5 s.
	Interval time.Duration
}

// TopStream lists the container's processes now and at every interval, until ctx
// ends or the container does, which is an [ErrNotRunning]. The iterator is single
// use; an error comes at most once and last.
func (c *Container) TopStream(ctx context.Context, opts ...TopStreamOptions) iter.Seq2[*Top, error] {
	o, err := atMostOne("Container.TopStream", opts)
	if err != nil {
		return failed[*Top](err)
	}
	if o.Interval < 0 {
		return failed[*Top](&engine.InvalidError{Option: "TopStreamOptions.Interval", Value: o.Interval.String(), Reason: "negative"})
	}
	if o.Interval == 0 {
		o.Interval = 5 * time.Second
	}
	return func(yield func(*Top, error) bool) {
		for {
			top, err := c.cli.e.ContainerTop(ctx, c.id, engine.TopOptions{Args: o.Args})
			if !yield(top, err) || err != nil {
				return
			}
			if err := sleep(ctx, o.Interval); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// Diff lists what differs between the container's files and its image's. It is
// empty, not nil, when nothing does.
func (c *Container) Diff(ctx context.Context) ([]Change, error) {
	return c.cli.e.ContainerDiff(ctx, c.id)
}

// Export streams the container's root file system as a tar. The caller closes it.
// Volumes are not in it. A tar that is cut short is [io.ErrUnexpectedEOF].
func (c *Container) Export(ctx context.Context) (io.ReadCloser, error) {
	rc, err := c.cli.e.ContainerExport(ctx, c.id)
	if err != nil {
		return nil, err
	}
	return &wholeTar{ReadCloser: rc}, nil
}

// Commit makes an image of the container's files and configuration.
func (c *Container) Commit(ctx context.Context, opts ...CommitOptions) (*Image, error) {
	o, err := atMostOne("Container.Commit", opts)
	if err != nil {
		return nil, err
	}
	id, err := c.cli.e.ContainerCommit(ctx, c.id, o)
	if err != nil {
		return nil, err
	}
	return c.cli.Images.Get(ctx, id)
}

// sleep waits for d or the end of ctx, whose error it returns.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return contextError(ctx)
	}
}
