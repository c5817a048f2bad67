package docker

import (
	"context"
	"net/http"

	"github.com/berthdev/berth/internal/wire"
)

// call sends r and decodes its answer into out, nil for none. Its errors are those of package engine, in the words of o.
func (e *Engine) call(ctx context.Context, o op, r wire.Request, out any) error {
	_, err := e.wire.Call(ctx, r, out)
	return e.fail(o, err)
}

// stream sends r and returns its answer, whose body the caller closes. Errors are as those of call.
func (e *Engine) stream(ctx context.Context, o op, r wire.Request) (*http.Response, error) {
	resp, err := e.wire.Stream(ctx, r)
	return resp, e.fail(o, err)
}

// container is call for an endpoint of a container.
func (e *Engine) container(ctx context.Context, verb, id, method, suffix string, query map[string][]string, body, out any) error {
	path, err := containerPath(id, suffix)
	if err != nil {
		return err
	}
	return e.call(ctx, op{verb, id}, wire.Request{Method: method, Path: path, Query: query, JSON: body}, out)
}
