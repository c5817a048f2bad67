package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/engine"
)

// workerArgs are the arguments of a call; those that it has not are zero.
type workerArgs struct {
	ID      string                     `json:",omitzero"`
	IDs     []string                   `json:",omitzero"`
	Path    string                     `json:",omitzero"`
	Force   bool                       `json:",omitzero"`
	Filters engine.Filters             `json:",omitzero"`
	Spec    *engine.Spec               `json:",omitzero"`
	Create  *engine.CreateOptions      `json:",omitzero"`
	Remove  *engine.RemoveOptions      `json:",omitzero"`
	Archive *engine.ArchiveOptions     `json:",omitzero"`
	Put     *engine.PutArchiveOptions  `json:",omitzero"`
	Commit  *commitArgs                `json:",omitzero"`
	Pull    *pullArgs                  `json:",omitzero"`
	Push    *pushArgs                  `json:",omitzero"`
	Import  *engine.ImportOptions      `json:",omitzero"`
	Save    *engine.SaveOptions        `json:",omitzero"`
	Image   *engine.ImageRemoveOptions `json:",omitzero"`
}

// commitArgs are engine.CommitOptions, whose Conf has fields that JSON leaves out.
type commitArgs struct {
	engine.CommitOptions
	Exposed     []string
	Volumes     []string
	Healthcheck *engine.Healthcheck
}

// pullArgs and pushArgs are the options without the function in them.
type pullArgs struct {
	Platform  string
	AllTags   bool
	Auth      *engine.RegistryAuth
	TLSVerify *bool
	Policy    engine.PullPolicy
}

type pushArgs struct {
	Auth      *engine.RegistryAuth
	TLSVerify *bool
	AllTags   bool
}

// pruneResult is engine.PruneReport, whose errors are no JSON.
type pruneResult struct {
	Deleted   []string
	Reclaimed engine.Bytes
	Errors    map[string]*proto.Error
	Joined    *workerError
}

// containerSizes are the sizes of a container.
type containerSizes struct{ RW, Root engine.Bytes }

// workerCalls are the calls that a worker makes.
var workerCalls = map[string]func(ctx context.Context, e *Engine, w *worker) (any, error){
	"ContainerCreate": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		return e.ContainerCreate(ctx, a.Spec, *a.Create)
	}),
	"ContainerRemove": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		return nil, e.ContainerRemove(ctx, a.ID, *a.Remove)
	}),
	"ContainerPrune": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		return encodePrune(e.ContainerPrune(ctx, a.Filters))
	}),
	"ContainerDiff": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		return e.ContainerDiff(ctx, a.ID)
	}),
	"ContainerCommit": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		opts := a.Commit.CommitOptions
		if opts.Conf != nil {
			opts.Conf.ExposedPorts, opts.Conf.Volumes, opts.Conf.Healthcheck = a.Commit.Exposed, a.Commit.Volumes, a.Commit.Healthcheck
		}
		return e.ContainerCommit(ctx, a.ID, opts)
	}),
	"ContainerExport": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		r, err := e.ContainerExport(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		return nil, w.send(nil, r)
	}),
	"ContainerStatPath": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		return e.ContainerStatPath(ctx, a.ID, a.Path)
	}),
	"ContainerGetArchive": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		r, st, err := e.ContainerGetArchive(ctx, a.ID, a.Path, *a.Archive)
		if err != nil {
			return nil, err
		}
		return nil, w.send(st, r)
	}),
	"ContainerPutArchive": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		return nil, e.ContainerPutArchive(ctx, a.ID, a.Path, w.data, *a.Put)
	}),
	"sizes": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		sizes := map[string]containerSizes{}
		for _, id := range a.IDs {
			cfg, err := e.store.Config(id)
			if errors.Is(err, engine.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			var s containerSizes
			if s.RW, s.Root, err = e.sizes(ctx, cfg); err != nil {
				return nil, because(ctx, "get sizes", id, err)
			}
			sizes[id] = s
		}
		return sizes, nil
	}),
	"DiskUsage": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		return e.DiskUsage(ctx)
	}),
	"ImagePull": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		p := a.Pull
		return e.ImagePull(ctx, a.ID, engine.PullOptions{
			Platform: p.Platform, AllTags: p.AllTags, Auth: p.Auth, TLSVerify: p.TLSVerify, Policy: p.Policy, Progress: w.progress,
		})
	}),
	"ImagePush": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		p := a.Push
		return nil, e.ImagePush(ctx, a.ID, engine.PushOptions{Auth: p.Auth, TLSVerify: p.TLSVerify, AllTags: p.AllTags, Progress: w.progress})
	}),
	"ImageLoad": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		return e.ImageLoad(ctx, w.data)
	}),
	"ImageImport": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		return e.ImageImport(ctx, w.data, *a.Import)
	}),
	"ImageSave": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		r, err := e.ImageSave(ctx, a.IDs, *a.Save)
		if err != nil {
			return nil, err
		}
		return nil, w.send(nil, r)
	}),
	"ImageRemove": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		return e.ImageRemove(ctx, a.ID, *a.Image)
	}),
	"ImagePrune": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		return encodePrune(e.ImagePrune(ctx, a.Filters))
	}),
	"VolumeRemove": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		return nil, e.VolumeRemove(ctx, a.ID, a.Force)
	}),
	"VolumePrune": workerCall(func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error) {
		return encodePrune(e.VolumePrune(ctx, a.Filters))
	}),
}

// workerCall takes the arguments of a call.
func workerCall(f func(ctx context.Context, e *Engine, w *worker, a workerArgs) (any, error)) func(ctx context.Context, e *Engine, w *worker) (any, error) {
	return func(ctx context.Context, e *Engine, w *worker) (any, error) {
		var a workerArgs
		if err := json.Unmarshal(w.req.Args, &a); err != nil {
			return nil, err
		}
		return f(ctx, e, w, a)
	}
}

// encodePrune puts a report and its error into one answer: the report counts also when there is an error.
func encodePrune(r engine.PruneReport, err error) (any, error) {
	p := pruneResult{Deleted: r.Deleted, Reclaimed: r.Reclaimed, Joined: encodeError(err)}
	for id, err := range r.Errors {
		if p.Errors == nil {
			p.Errors = map[string]*proto.Error{}
		}
		p.Errors[id] = proto.Encode(err)
	}
	return p, nil
}

// prune makes a call that prunes.
func (e *rootless) prune(ctx context.Context, call, op string, filters engine.Filters) (engine.PruneReport, error) {
	p, err := inside[pruneResult](ctx, e, call, workerArgs{Filters: filters}, transfer{})
	if err == nil {
		err = p.Joined.decode()
	}
	r := engine.PruneReport{Deleted: p.Deleted, Reclaimed: p.Reclaimed}
	for id, cause := range p.Errors {
		if r.Errors == nil {
			r.Errors = map[string]error{}
		}
		r.Errors[id] = cause.Decode(op, id)
	}
	return r, err
}

// none is the result of a call without one.
type none = json.RawMessage

// reader makes a call whose result is a stream.
func reader[R any](ctx context.Context, e *rootless, call string, a workerArgs, beside string) (io.ReadCloser, R, error) {
	var r io.ReadCloser
	st, err := inside[R](ctx, e, call, a, transfer{stream: &r, beside: beside})
	return r, st, err
}
