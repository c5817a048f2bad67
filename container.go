package berth

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/berthdev/berth/engine"
)

// Container is a handle of one container. It is made by [Containers] and stays
// usable for as long as the container exists; its calls fail with [ErrNotFound]
// afterwards. It need not be closed.
//
// What has a context asks the engine. What has none answers from what is known
// already: the last inspect, or the one request of the list.
//
// A Container is safe for concurrent use.
type Container struct {
	cli      *Client
	id       string
	warnings []string // of the creation; not written to afterwards

	snap   atomic.Pointer[snapshot] // nil until something is known
	asked  atomic.Uint64            // numbers the refreshes, so that an older one does not replace a newer
	health healthDriver
	mu     sync.Mutex // orders changes of snap
}

// ID is the container's full ID.
func (c *Container) ID() string { return c.id }

// ShortID is the first 12 characters of the ID, which is how people know it.
func (c *Container) ShortID() string {
	if len(c.id) > 12 {
		return c.id[:12]
	}
	return c.id
}

// Name is the container's name without a slash before it, "" when not known yet.
func (c *Container) Name() string {
	s := c.snap.Load()
	switch {
	case s == nil:
	case s.attrs != nil:
		return s.attrs.Name
	case s.summary != nil && len(s.summary.Names) > 0:
		return s.summary.Names[0]
	}
	return ""
}

// Labels are the container's labels, nil when there are none or they are not
// known yet. The map must not be written to.
func (c *Container) Labels() map[string]string {
	s := c.snap.Load()
	switch {
	case s == nil:
	case s.attrs != nil:
		return s.attrs.Config.Labels
	case s.summary != nil:
		return s.summary.Labels
	}
	return nil
}

// ImageID is the ID of the container's image (sha256:…), "" when not known yet.
func (c *Container) ImageID() string {
	s := c.snap.Load()
	switch {
	case s == nil:
	case s.attrs != nil:
		return s.attrs.ImageID
	case s.summary != nil:
		return s.summary.ImageID
	}
	return ""
}

// ImageRef is the reference that the container was created with, as the engine
// tells it; "" when not known yet.
func (c *Container) ImageRef() string {
	s := c.snap.Load()
	switch {
	case s == nil:
	case s.attrs != nil:
		return s.attrs.Image
	case s.summary != nil:
		return s.summary.Image
	}
	return ""
}

// Image looks up the container's image. One that was removed is an
// [ErrImageNotFound].
func (c *Container) Image(ctx context.Context) (*Image, error) {
	id := c.ImageID()
	if id == "" {
		if _, err := c.inspect(ctx, engine.InspectOptions{}); err != nil {
			return nil, err
		}
		id = c.ImageID()
	}
	return c.cli.Images.Get(ctx, id)
}

// Warnings are what the engine said of options when it created the container,
// with [AllowDiscarded] also of those that it discarded. A container that was not
// created by this client has none.
func (c *Container) Warnings() []string { return c.warnings }

// Equal tells whether both are handles of the same container of the same engine.
func (c *Container) Equal(o *Container) bool {
	if c == nil || o == nil {
		return c == o
	}
	return c.id == o.id && (c.cli == o.cli || c.cli.e.Identity().Host == o.cli.e.Identity().Host)
}

// String is Container(0123456789ab name).
func (c *Container) String() string {
	return "Container(" + strings.TrimSpace(c.ShortID()+" "+c.Name()) + ")"
}
