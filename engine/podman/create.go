package podman

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
	"github.com/berthdev/berth/internal/wire"
)

// defaultCleanup bounds the removal of a half-made container where CreateOptions do not.
const defaultCleanup = 10 * time.Second

// ContainerCreate implements [engine.Containers]. It is two requests: the image is inspected first, for what of it has to be merged with spec (its health check, and what a command that is empty on purpose leaves). Volumes that
// take a driver, options or labels are made before, one or two requests each. Where runc is older than 1.2, each tmpfs with a mode is one more.
func (e *Engine) ContainerCreate(ctx context.Context, spec *engine.Spec, opts engine.CreateOptions) (engine.CreateResult, error) {
	c, err := e.createRequest(ctx, spec)
	if err != nil {
		return engine.CreateResult{}, err
	}
	if opts.CleanupTimeout <= 0 {
		opts.CleanupTimeout = defaultCleanup
	}
	made, err := e.createVolumes(ctx, c.volumes)
	if err != nil {
		return engine.CreateResult{}, errors.Join(err, e.removeVolumes(ctx, made, opts.CleanupTimeout))
	}
	res, err := e.create(ctx, c, opts)
	if err != nil {
		return engine.CreateResult{}, errors.Join(err, e.removeVolumes(ctx, made, opts.CleanupTimeout))
	}
	return res, nil
}

// creation is a container that is to be made.
type creation struct {
	op      op
	spec    *engine.Spec
	body    json.RawMessage
	volumes []engine.VolumeCreateOptions // to be made first
}

func (e *Engine) create(ctx context.Context, c *creation, opts engine.CreateOptions) (engine.CreateResult, error) {
	// Once the request is on its way the engine makes the container, whether anybody waits for the answer or not: a cancelled call waits for the ID of what it has to remove.
	grace, cancel := withGrace(ctx, opts.CleanupTimeout)
	defer cancel()
	var out struct {
		ID       string `json:"Id"`
		Warnings []string
	}
	r := wire.Request{Method: http.MethodPost, Path: "/containers/create", Body: newBody(c.body), Header: jsonHeader()}
	if err := e.call(grace, c.op, r, &out); err != nil {
		return engine.CreateResult{}, createError(c, err)
	}
	if out.ID == "" {
		return engine.CreateResult{}, noID(c.op)
	}
	res := engine.CreateResult{ID: out.ID, Warnings: out.Warnings}
	var err error
	switch {
	case ctx.Err() != nil:
		err = e.fail(c.op, contextError(ctx))
	case !opts.AllowDiscarded:
		err = e.discarded(out.Warnings)
	}
	if err == nil {
		err = e.checkTmpfsModes(ctx, c.spec, out.ID)
	}
	if err != nil {
		return engine.CreateResult{}, e.discard(ctx, out.ID, opts.CleanupTimeout, err)
	}
	return res, nil
}

// discarded is an UnsupportedError for the options that warnings say were discarded.
func (e *Engine) discarded(warnings []string) error {
	r := refusals{e: e}
	for _, w := range warnings {
		if option, ok := normal.DiscardedOption(w); ok {
			r.unsupported(option, "", w)
		}
	}
	return r.err()
}

// discard removes a container whose creation failed, whatever became of ctx, and returns cause, or an OrphanError if that failed too.
func (e *Engine) discard(ctx context.Context, id string, timeout time.Duration, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	err := e.ContainerRemove(ctx, id, engine.RemoveOptions{Force: true, Volumes: true})
	if err == nil || isNotFound(err) {
		return cause
	}
	return &engine.OrphanError{ID: id, Cause: cause, Cleanup: err}
}

// createVolumes makes the volumes that are not there yet, and returns their names.
func (e *Engine) createVolumes(ctx context.Context, volumes []engine.VolumeCreateOptions) (made []string, err error) {
	for _, v := range volumes {
		there, err := e.VolumeInspect(ctx, v.Name)
		switch {
		case isNotFound(err):
			if _, err := e.VolumeCreate(ctx, v); err != nil {
				return made, err
			}
			made = append(made, v.Name)
		case err != nil:
			return made, err
		case v.Driver != "" && there.Driver != v.Driver:
			return made, &engine.APIError{
				Engine: Name, Op: "create volume", Object: v.Name, Kind: engine.ErrConflict, Message: "it exists, with driver " + there.Driver + " instead of " + v.Driver,
			}
		}
	}
	return made, nil
}

// removeVolumes takes back what createVolumes made.
func (e *Engine) removeVolumes(ctx context.Context, names []string, timeout time.Duration) error {
	if len(names) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	var errs []error
	for _, n := range names {
		errs = append(errs, e.VolumeRemove(ctx, n, true))
	}
	return errors.Join(errs...)
}

// createRequest translates spec, or refuses it.
func (e *Engine) createRequest(ctx context.Context, spec *engine.Spec) (*creation, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	object := spec.Name
	if object == "" {
		object = "of " + spec.Image
	}
	c := &creation{op: op{"create container", object}, spec: spec}
	r := &refusals{e: e}
	e.refuse(r, spec)
	b := e.createBody(r, spec)
	c.volumes = e.volumesFirst(r, spec)
	if err := r.err(); err != nil {
		return nil, err
	}
	if err := e.mergeImage(ctx, c.op, b, spec); err != nil {
		return nil, err
	}
	var err error
	if c.body, err = json.Marshal(b); err != nil {
		return nil, err
	}
	if patch, ok := spec.Raw[Name]; ok {
		if c.body, err = normal.MergePatch(c.body, patch); err != nil {
			return nil, &engine.InvalidError{Option: `Spec.Raw["podman"]`, Err: err}
		}
	}
	return c, nil
}
