package embedded

import (
	"context"
	"io"

	"github.com/berthdev/berth/engine"
)

// ContainerCreate implements [engine.Containers]. It reads the image and fills volumes.
func (e *rootless) ContainerCreate(ctx context.Context, spec *engine.Spec, opts engine.CreateOptions) (engine.CreateResult, error) {
	return inside[engine.CreateResult](ctx, e, "ContainerCreate", workerArgs{Spec: spec, Create: &opts}, transfer{})
}

// ContainerRemove implements [engine.Containers].
func (e *rootless) ContainerRemove(ctx context.Context, id string, opts engine.RemoveOptions) error {
	// A process that has outlived its monitor can be killed from here alone.
	if _, err := e.snapshot(ctx, opRemove, id); err != nil {
		return err
	}
	_, err := inside[none](ctx, e, "ContainerRemove", workerArgs{ID: id, Remove: &opts}, transfer{})
	return err
}

// ContainerPrune implements [engine.Containers].
func (e *rootless) ContainerPrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	const op = "prune containers"
	if _, err := e.all(ctx); err != nil { // as in ContainerRemove
		return engine.PruneReport{}, because(ctx, op, "", err)
	}
	return e.prune(ctx, "ContainerPrune", op, filters)
}

// ContainerInspect implements [engine.Containers].
func (e *rootless) ContainerInspect(ctx context.Context, id string, opts engine.InspectOptions) (*engine.Attrs, error) {
	a, err := e.Engine.ContainerInspect(ctx, id, engine.InspectOptions{})
	if err != nil || !opts.Size {
		return a, err
	}
	sizes, err := e.sizesOf(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	s := sizes[a.ID]
	a.SizeRw, a.SizeRootFs = &s.RW, &s.Root
	return a, nil
}

// ContainerList implements [engine.Containers].
func (e *rootless) ContainerList(ctx context.Context, opts engine.ListOptions) ([]engine.Summary, error) {
	size := opts.Size
	opts.Size = false
	list, err := e.Engine.ContainerList(ctx, opts)
	if err != nil || !size {
		return list, err
	}
	var ids []string
	for i := range list {
		ids = append(ids, list[i].ID)
	}
	sizes, err := e.sizesOf(ctx, ids...)
	if err != nil {
		return nil, err
	}
	for i := range list {
		s := sizes[list[i].ID]
		list[i].SizeRw, list[i].SizeRootFs = &s.RW, &s.Root
	}
	return list, nil
}

func (e *rootless) sizesOf(ctx context.Context, ids ...string) (map[string]containerSizes, error) {
	return inside[map[string]containerSizes](ctx, e, "sizes", workerArgs{IDs: ids}, transfer{})
}

// ContainerDiff implements [engine.Containers].
func (e *rootless) ContainerDiff(ctx context.Context, id string) ([]engine.Change, error) {
	return inside[[]engine.Change](ctx, e, "ContainerDiff", workerArgs{ID: id}, transfer{})
}

// ContainerCommit implements [engine.Containers].
func (e *rootless) ContainerCommit(ctx context.Context, id string, opts engine.CommitOptions) (string, error) {
	if why := e.noCgroups(); why != "" {
		if opts.Pause != nil && *opts.Pause {
			return "", unsupported("CommitOptions.Pause", "true", why)
		}
		opts.Pause = new(false)
	}
	a := commitArgs{CommitOptions: opts}
	if c := opts.Conf; c != nil {
		a.Exposed, a.Volumes, a.Healthcheck = c.ExposedPorts, c.Volumes, c.Healthcheck
	}
	return inside[string](ctx, e, "ContainerCommit", workerArgs{ID: id, Commit: &a}, transfer{})
}

// beside is the full ID of a container that runs, whose files only processes beside its monitor can reach; "" otherwise.
func (e *rootless) beside(ctx context.Context, op, ref string) (string, error) {
	s, err := e.snapshot(ctx, op, ref)
	if err != nil || !live(s) {
		return "", err
	}
	return s.Config.ID, nil
}

// ContainerExport implements [engine.Containers].
func (e *rootless) ContainerExport(ctx context.Context, id string) (io.ReadCloser, error) {
	beside, err := e.beside(ctx, "export container", id)
	if err != nil {
		return nil, err
	}
	r, _, err := reader[none](ctx, e, "ContainerExport", workerArgs{ID: id}, beside)
	return r, err
}

// ContainerStatPath implements [engine.Containers].
func (e *rootless) ContainerStatPath(ctx context.Context, id, path string) (st engine.PathStat, err error) {
	beside, err := e.beside(ctx, "stat path in container", id)
	if err != nil {
		return st, err
	}
	return inside[engine.PathStat](ctx, e, "ContainerStatPath", workerArgs{ID: id, Path: path}, transfer{beside: beside})
}

// ContainerGetArchive implements [engine.Containers].
func (e *rootless) ContainerGetArchive(ctx context.Context, id, path string, opts engine.ArchiveOptions) (io.ReadCloser, engine.PathStat, error) {
	beside, err := e.beside(ctx, "get archive from container", id)
	if err != nil {
		return nil, engine.PathStat{}, err
	}
	return reader[engine.PathStat](ctx, e, "ContainerGetArchive", workerArgs{ID: id, Path: path, Archive: &opts}, beside)
}

// ContainerPutArchive implements [engine.Containers].
func (e *rootless) ContainerPutArchive(ctx context.Context, id, path string, tar io.Reader, opts engine.PutArchiveOptions) error {
	beside, err := e.beside(ctx, "put archive into container", id)
	if err != nil {
		return err
	}
	_, err = inside[none](ctx, e, "ContainerPutArchive", workerArgs{ID: id, Path: path, Put: &opts}, transfer{in: tar, beside: beside})
	return err
}
