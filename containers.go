package berth

import (
	"context"
	"errors"
	"sync"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// Containers makes, finds and removes containers. It is [Client].Containers.
//
// Arguments named id take a full ID, a unique prefix of one, or a name.
type Containers struct{ cli *Client }

// Get looks a container up. A missing one is [ErrNotFound].
func (s *Containers) Get(ctx context.Context, id string) (*Container, error) {
	if err := checkName("Containers.Get", id); err != nil {
		return nil, err
	}
	attrs, err := s.cli.e.ContainerInspect(ctx, id, engine.InspectOptions{})
	if err != nil {
		return nil, err
	}
	c := s.cli.container(attrs.ID)
	c.snap.Store(&snapshot{attrs: attrs})
	return c, nil
}

// Exists tells whether there is such a container.
func (s *Containers) Exists(ctx context.Context, id string) (bool, error) {
	if err := checkName("Containers.Exists", id); err != nil {
		return false, err
	}
	return s.cli.e.ContainerExists(ctx, id)
}

// ListOptions narrow [Containers.List]. The zero value lists running containers.
type ListOptions struct {
	All     bool    // stopped ones too
	Limit   int     // the newest so many, stopped ones included; 0 is no limit
	Since   string  // created after this container (name or ID)
	Before  string  // created before it
	Filters Filters // label, name, status, ancestor, …
	Size    bool    // fill Summary.SizeRw and SizeRootFs, which is slow
	// Inspect fills Attrs too, with one request a container, some at a time.
	// Containers that vanish meanwhile are left out.
	Inspect bool
}

// inspectors is how many inspects of a list run at a time.
const inspectors = 8

// List lists containers, newest first, with one request: each has its
// [Container.Summary], and no [Container.Attrs] unless ListOptions.Inspect.
func (s *Containers) List(ctx context.Context, opts ...ListOptions) ([]*Container, error) {
	o, err := atMostOne("Containers.List", opts)
	if err != nil {
		return nil, err
	}
	if o.Limit < 0 {
		return nil, &engine.InvalidError{Option: "ListOptions.Limit", Reason: "negative"}
	}
	sums, err := s.cli.e.ContainerList(ctx, engine.ListOptions{
		All: o.All, Limit: o.Limit, Since: o.Since, Before: o.Before, Filters: o.Filters, Size: o.Size,
	})
	if err != nil {
		return nil, err
	}
	normal.SortBy(sums, func(a, b engine.Summary) int { return b.Created.Compare(a.Created) })
	list := make([]*Container, len(sums))
	for i := range sums {
		list[i] = s.cli.container(sums[i].ID)
		list[i].snap.Store(&snapshot{summary: &sums[i]})
	}
	if o.Inspect {
		return inspectAll(ctx, list, engine.InspectOptions{Size: o.Size})
	}
	return list, nil
}

// inspectAll inspects the containers and returns those that are still there, in
// their order. The first failure ends it.
func inspectAll(ctx context.Context, list []*Container, o engine.InspectOptions) ([]*Container, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	next := make(chan int)
	var mu sync.Mutex
	var failed error
	for range min(inspectors, len(list)) {
		wg.Go(func() {
			for i := range next {
				_, err := list[i].inspect(ctx, o)
				if err == nil || errors.Is(err, engine.ErrNotFound) {
					continue
				}
				mu.Lock()
				if failed == nil {
					failed = err
				}
				mu.Unlock()
				cancel(err)
			}
		})
	}
feed:
	for i := range list {
		select {
		case next <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	wg.Wait()
	if failed != nil {
		return nil, failed
	}
	if ctx.Err() != nil {
		return nil, contextError(ctx)
	}
	left := list[:0]
	for _, c := range list {
		if !c.Gone() {
			left = append(left, c)
		}
	}
	return left, nil
}

// Remove removes a container. See [Container.Remove].
func (s *Containers) Remove(ctx context.Context, id string, opts ...RemoveOptions) error {
	if err := checkName("Containers.Remove", id); err != nil {
		return err
	}
	o, err := atMostOne("Containers.Remove", opts)
	if err != nil {
		return err
	}
	return s.cli.e.ContainerRemove(ctx, id, o)
}

// Prune removes stopped containers, of which at most one Filters value chooses
// some (label, until). The report holds what was removed also when the error is
// not nil.
func (s *Containers) Prune(ctx context.Context, filters ...Filters) (PruneReport, error) {
	f, err := atMostOne("Containers.Prune", filters)
	if err != nil {
		return PruneReport{}, err
	}
	return s.cli.e.ContainerPrune(ctx, f)
}
