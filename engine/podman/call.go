package podman

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"

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
func (e *Engine) container(ctx context.Context, verb, id, method, suffix string, query url.Values, body, out any) error {
	path, err := containerPath(id, suffix)
	if err != nil {
		return err
	}
	return e.call(ctx, op{verb, id}, wire.Request{Method: method, Path: path, Query: query, JSON: body}, out)
}

// exists asks a path that answers 204 or 404.
func (e *Engine) exists(ctx context.Context, o op, path string) (bool, error) {
	err := e.call(ctx, o, wire.Request{Method: http.MethodGet, Path: path}, nil)
	if isNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

func get(path string) wire.Request  { return wire.Request{Method: http.MethodGet, Path: path} }
func post(path string) wire.Request { return wire.Request{Method: http.MethodPost, Path: path} }

// boolean is one of a query. Podman takes no other words.
func boolean(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// decode reads the JSON of an answer of which more than its status had to be looked at.
func decode(o op, text []byte, out any) error {
	if err := wire.DecodeJSON(bytes.NewReader(text), out); err != nil {
		return fmt.Errorf("%s %s: decode response: %w", o.verb, o.object, err)
	}
	return nil
}

func newBody(b []byte) *bytes.Reader { return bytes.NewReader(b) }

func jsonHeader() http.Header { return http.Header{"Content-Type": {"application/json"}} }
