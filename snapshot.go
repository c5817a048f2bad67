package berth

import (
	"context"
	"errors"

	"github.com/berthdev/berth/engine"
)

// snapshot is what is known of a container. It is not modified, but replaced.
type snapshot struct {
	attrs   *Attrs   // of the last inspect; nil before the first
	summary *Summary // of the list; nil when it did not come from one
	stale   bool     // something has changed since
	gone    bool     // the container does not exist any more
	seq     uint64   // of the refresh that it came from
}

// Attrs is the last snapshot, nil when there is none yet: after List, and where a
// refresh has failed. It is immutable, and the same pointer until the next
// refresh: by Reload, Inspect, Status and their like, or by a method that changes
// the container.
func (c *Container) Attrs() *Attrs {
	if s := c.snap.Load(); s != nil {
		return s.attrs
	}
	return nil
}

// Summary is the container as the list showed it, nil when the handle did not
// come from [Containers.List]. It is immutable.
func (c *Container) Summary() *Summary {
	if s := c.snap.Load(); s != nil {
		return s.summary
	}
	return nil
}

// Stale tells that this handle has changed the container since its snapshot was
// taken, or may have: the refresh afterwards failed, or was left out
// ([NoRefresh]), or the call was cancelled. What others change is not known.
func (c *Container) Stale() bool {
	s := c.snap.Load()
	return s != nil && s.stale
}

// Gone tells that the container was found not to exist any more.
func (c *Container) Gone() bool {
	s := c.snap.Load()
	return s != nil && s.gone
}

// Reload takes a new snapshot.
func (c *Container) Reload(ctx context.Context) error {
	_, err := c.inspect(ctx, engine.InspectOptions{})
	return err
}

// Inspect takes a new snapshot and returns it. With InspectOptions.Size it has
// the sizes too, which is slow.
func (c *Container) Inspect(ctx context.Context, opts ...InspectOptions) (*Attrs, error) {
	o, err := atMostOne("Container.Inspect", opts)
	if err != nil {
		return nil, err
	}
	return c.inspect(ctx, o)
}

// inspect asks the engine and keeps the answer.
func (c *Container) inspect(ctx context.Context, o engine.InspectOptions) (*Attrs, error) {
	seq := c.asked.Add(1)
	attrs, err := c.cli.e.ContainerInspect(ctx, c.id, o)
	if errors.Is(err, engine.ErrNotFound) {
		c.change(seq, func(s *snapshot) { s.gone = true })
	}
	if err != nil {
		return nil, err
	}
	c.change(seq, func(s *snapshot) { s.attrs, s.stale, s.gone = attrs, false, false })
	return attrs, nil
}

// refresh takes a new snapshot after a change. Its failure is none of the
// change's: the old snapshot is stale then, or the container gone.
func (c *Container) refresh(ctx context.Context) {
	c.setStale()
	if c.cli.noRefresh {
		return
	}
	_, err := c.inspect(ctx, engine.InspectOptions{})
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		c.cli.log.DebugContext(ctx, "refresh container", "container", c.id, "error", err)
	}
}

// setStale records that the container may be another than the snapshot shows.
func (c *Container) setStale() {
	c.change(c.asked.Add(1), func(s *snapshot) { s.stale = true })
}

// setGone records that the container was removed.
func (c *Container) setGone() {
	c.change(c.asked.Add(1), func(s *snapshot) { s.gone = true })
}

// change replaces the snapshot by a changed one, unless one that was asked for
// later is there already.
func (c *Container) change(seq uint64, f func(*snapshot)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var s snapshot
	if old := c.snap.Load(); old != nil {
		s = *old
	}
	if seq < s.seq {
		return
	}
	s.seq = seq
	f(&s)
	c.snap.Store(&s)
}
