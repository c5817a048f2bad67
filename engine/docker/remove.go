package docker

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// ContainerRemove implements [engine.Containers]. A container that the engine is removing already (it has auto-remove, or somebody else was faster) is waited for.
func (e *Engine) ContainerRemove(ctx context.Context, id string, opts engine.RemoveOptions) error {
	r := &refusals{e: e}
	r.unless(!opts.Depend, "RemoveOptions.Depend", "true", "")
	if opts.Timeout != nil && *opts.Timeout != 0 && opts.Force {
		r.unsupported("RemoveOptions.Timeout", opts.Timeout.String(), "Docker kills at once")
	}
	if err := r.err(); err != nil {
		return err
	}
	if opts.Link {
		return e.removeLink(ctx, id)
	}
	query := url.Values{}
	if opts.Force {
		query.Set("force", "1")
	}
	if opts.Volumes {
		query.Set("v", "1")
	}
	err := e.container(ctx, "remove container", id, http.MethodDelete, "", query, nil, nil)
	if a, ok := errors.AsType[*engine.APIError](err); ok && a.Status == http.StatusConflict && strings.Contains(a.Message, "already in progress") {
		return e.awaitRemoval(ctx, id, err)
	}
	return err
}

// awaitRemoval waits until a container that is being removed is gone; inProgress is returned if it stays.
func (e *Engine) awaitRemoval(ctx context.Context, id string, inProgress error) error {
	w, err := e.ContainerWait(ctx, id, engine.WaitRemoved)
	if err != nil {
		if isNotFound(err) {
			return nil
		}
		return err
	}
	defer w.Close()
	if _, err := w.Wait(); err != nil {
		return err
	}
	still, err := e.ContainerExists(ctx, id)
	if err != nil {
		return err
	}
	if still {
		return inProgress
	}
	return nil
}

// removeLink removes the link NAME/ALIAS of the legacy bridge network.
func (e *Engine) removeLink(ctx context.Context, id string) error {
	name, alias, ok := strings.Cut(strings.TrimPrefix(id, "/"), "/")
	if !ok {
		return &engine.InvalidError{Option: "container", Value: id, Reason: "a link has the form NAME/ALIAS"}
	}
	for _, s := range []string{name, alias} {
		if _, err := checkName("container", s); err != nil {
			return err
		}
	}
	r := wire.Request{Method: http.MethodDelete, Path: "/containers/" + wire.Escape(name) + "/" + wire.Escape(alias), Query: url.Values{"link": {"1"}}}
	return e.call(ctx, op{"remove link", id}, r, nil)
}
