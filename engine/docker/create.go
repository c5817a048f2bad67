package docker

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
	"github.com/berthdev/berth/internal/wire"
)

// defaultCleanup bounds the removal of a half-made container where CreateOptions do not.
const defaultCleanup = 10 * time.Second

// ContainerCreate implements [engine.Containers]. It is one request; one more for each network but the first with an API below 1.44, for a Command that is
// empty on purpose (the image is asked for its entrypoint), for a bind that is to be relabelled but not created, and, where runc is older than 1.2, for each tmpfs with a mode.
func (e *Engine) ContainerCreate(ctx context.Context, spec *engine.Spec, opts engine.CreateOptions) (engine.CreateResult, error) {
	req, err := e.createRequest(ctx, spec, opts.TerminalSize)
	if err != nil {
		return engine.CreateResult{}, err
	}
	query := url.Values{}
	if req.name != "" {
		query.Set("name", req.name)
	}
	if req.platform != "" {
		query.Set("platform", req.platform)
	}
	object := spec.Name
	if object == "" {
		object = "of " + spec.Image
	}
	o := op{"create container", object}
	if opts.CleanupTimeout <= 0 {
		opts.CleanupTimeout = defaultCleanup
	}
	// Once the request is on its way the engine makes the container, whether anybody waits for the answer or not: a cancelled call waits for the ID of what it has to remove.
	grace, cancel := withGrace(ctx, opts.CleanupTimeout)
	defer cancel()
	var out wireCreated
	r := wire.Request{Method: http.MethodPost, Path: "/containers/create", Query: query, JSON: req.body}
	if err := e.call(grace, o, r, &out); err != nil {
		return engine.CreateResult{}, err
	}
	if out.ID == "" {
		return engine.CreateResult{}, noID(o)
	}
	res := engine.CreateResult{ID: out.ID, Warnings: out.Warnings}
	if err := e.afterCreate(ctx, o, spec, req, res, opts); err != nil {
		return engine.CreateResult{}, e.discard(ctx, out.ID, opts.CleanupTimeout, err)
	}
	return res, nil
}

// afterCreate is what can still go wrong once there is a container.
func (e *Engine) afterCreate(ctx context.Context, o op, spec *engine.Spec, req *createRequest, res engine.CreateResult, opts engine.CreateOptions) error {
	if ctx.Err() != nil {
		return e.fail(o, contextError(ctx))
	}
	if !opts.AllowDiscarded {
		if err := discarded(res.Warnings); err != nil {
			return err
		}
	}
	if err := e.checkTmpfsModes(ctx, spec, res.ID); err != nil {
		return err
	}
	for _, c := range req.connect {
		body := wireConnect{Container: res.ID, EndpointConfig: c.endpoint}
		path, err := networkPath(c.network, "/connect")
		if err != nil {
			return err
		}
		if err := e.call(ctx, op{o.verb, o.object + " in network " + c.network}, wire.Request{Method: http.MethodPost, Path: path, JSON: body}, nil); err != nil {
			return err
		}
	}
	return nil
}

// discarded is an UnsupportedError for the first option that a warning says was discarded.
func discarded(warnings []string) error {
	var r refusals
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

// createRequest translates spec, or refuses it.
func (e *Engine) createRequest(ctx context.Context, spec *engine.Spec, size engine.Size) (*createRequest, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	r := &refusals{e: e}
	e.refuse(r, spec)
	req := &createRequest{name: spec.Name, platform: spec.Platform}
	body, err := e.createBody(r, spec, req)
	r.add(err)
	if err := r.err(); err != nil {
		return nil, err
	}
	if spec.TTY && size != (engine.Size{}) && e.api >= apiConsoleSize {
		body.HostConfig.ConsoleSize = &[2]uint16{size.Rows, size.Cols}
	}
	if err := e.clearCommand(ctx, spec, body); err != nil {
		return nil, err
	}
	if err := e.checkRelabelled(ctx, spec); err != nil {
		return nil, err
	}
	if req.body, err = json.Marshal(body); err != nil {
		return nil, err
	}
	if patch, ok := spec.Raw[Name]; ok {
		if req.body, err = normal.MergePatch(req.body, patch); err != nil {
			return nil, &engine.InvalidError{Option: `Spec.Raw["docker"]`, Err: err}
		}
	}
	return req, nil
}
