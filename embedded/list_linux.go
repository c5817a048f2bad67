package embedded

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/berthdev/berth/embedded/internal/inspect"
	"github.com/berthdev/berth/engine"
)

// ContainerList implements [engine.Containers].
func (e *Engine) ContainerList(ctx context.Context, opts engine.ListOptions) ([]engine.Summary, error) {
	const op = "list containers"
	if opts.Limit < 0 {
		return nil, &engine.InvalidError{Option: "ListOptions.Limit", Value: strconv.Itoa(opts.Limit), Reason: "negative"}
	}
	if err := ctx.Err(); err != nil {
		return nil, because(ctx, op, "", err)
	}
	all, err := e.all(ctx)
	if err != nil {
		return nil, because(ctx, op, "", err)
	}
	list, err := inspect.List(all, opts, e.sources(ctx), time.Now())
	if err != nil {
		return nil, because(ctx, op, "", err)
	}
	if opts.Size {
		for i := range list {
			cfg, err := e.store.Config(list[i].ID)
			if errors.Is(err, engine.ErrNotFound) {
				list[i].SizeRw, list[i].SizeRootFs = new(engine.Bytes(0)), new(engine.Bytes(0))
				continue
			}
			if err != nil {
				return nil, because(ctx, op, "", err)
			}
			rw, root, err := e.sizes(ctx, cfg)
			if err != nil {
				return nil, because(ctx, op, "", err)
			}
			list[i].SizeRw, list[i].SizeRootFs = &rw, &root
		}
	}
	return list, nil
}

// sources answer what filters ask.
func (e *Engine) sources(ctx context.Context) inspect.Sources {
	return inspect.Sources{
		Find:      e.store.Find,
		Ancestors: func(ref string) ([]string, error) { return e.ancestors(ctx, ref) },
		Network: func(ref string) (id, name string) {
			n, err := e.networks.Inspect(ctx, ref)
			if err != nil {
				return "", ""
			}
			return n.ID, n.Name
		},
	}
}

// ancestors are the IDs of an image and of those that have all of its layers below their own.
func (e *Engine) ancestors(ctx context.Context, ref string) ([]string, error) {
	img, err := e.images.Resolve(ref)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ids := []string{img.ID}
	list, err := e.images.List(ctx, engine.ImageListOptions{All: true}, nil)
	if err != nil {
		return nil, err
	}
	parents := map[string]string{}
	for _, i := range list {
		parents[i.ID] = i.ParentID
	}
	for id := range parents {
		for p := parents[id]; p != ""; p = parents[p] {
			if p == img.ID {
				ids = append(ids, id)
				break
			}
		}
	}
	return ids, nil
}
