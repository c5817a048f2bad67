package docker

import (
	"context"
	"net/http"
	"net/url"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// multiplexedStream is the Content-Type of frames, from API 1.42 on; a terminal's bytes have another one.
const multiplexedStream = "application/vnd.docker.multiplexed-stream"

// ContainerAttach implements [engine.Containers]. The engine answers an attach to a container that has ended with a stream that never ends, or, if somebody starts the container again, is its next run's: so the
// container is inspected before, and one that runs after as well.
func (e *Engine) ContainerAttach(ctx context.Context, id string, opts engine.AttachOptions) (engine.Stream, error) {
	if !opts.Stdin && !opts.Stdout && !opts.Stderr {
		opts.Stdout, opts.Stderr = true, true
	}
	if opts.NoStream && !opts.Logs {
		return nil, &engine.InvalidError{Option: "AttachOptions.NoStream", Value: "true", Reason: "without Logs there is nothing to read"}
	}
	path, err := containerPath(id, "")
	if err != nil {
		return nil, err
	}
	o := op{"attach to container", id}
	var before engine.State
	var tty bool
	if opts.Created != nil {
		path, tty = path+"/attach", opts.Created.TTY
	} else {
		c, err := e.inspect(ctx, o.verb, id)
		if err != nil {
			return nil, err
		}
		before, tty = state(&c.State), c.Config.Tty
		// The path has the ID, so that a name that changes hands in between is not another container's.
		id = c.ID
		path = "/containers/" + wire.Escape(id) + "/attach"
	}
	if before.Ended() {
		if !opts.Logs || opts.Stdin {
			return nil, notRunning(o)
		}
		opts.NoStream = true // there is nothing to come
	}
	query := attachQuery(&opts)
	e.setDetachKeys(query, opts.DetachKeys)
	if opts.Websocket {
		return e.attachWebsocket(ctx, o, path+"/ws", query)
	}
	conn, err := e.wire.Hijack(ctx, wire.Request{Method: http.MethodPost, Path: path, Query: query})
	if err != nil {
		return nil, e.fail(o, err)
	}
	if before.Running() && !opts.NoStream {
		if err := e.stillThere(ctx, o, id); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return &stream{Conn: conn, multiplexed: e.multiplexed(conn.Header(), tty)}, nil
}

// stillThere tells whether a container that was running when the attach was asked for is still doing so, now that it is made: one that ended in between leaves it hanging.
func (e *Engine) stillThere(ctx context.Context, o op, id string) error {
	c, err := e.inspect(ctx, o.verb, id)
	if err != nil {
		return err
	}
	if after := state(&c.State); after.Ended() {
		return notRunning(o)
	}
	return nil
}

func notRunning(o op) error {
	return &engine.APIError{Engine: Name, Op: o.verb, Object: o.object, Message: "the container is not running", Kind: engine.ErrNotRunning}
}

// multiplexed tells whether a stream is frames.
func (e *Engine) multiplexed(h http.Header, tty bool) bool {
	if e.api >= apiContentType {
		return h.Get("Content-Type") == multiplexedStream
	}
	return !tty
}

func attachQuery(opts *engine.AttachOptions) url.Values {
	query := url.Values{}
	set := func(key string, on bool) {
		if on {
			query.Set(key, "1")
		}
	}
	set("stdin", opts.Stdin)
	set("stdout", opts.Stdout)
	set("stderr", opts.Stderr)
	set("logs", opts.Logs)
	set("stream", !opts.NoStream)
	return query
}

// stream is a hijacked connection as an [engine.Stream].
type stream struct {
	*wire.Conn
	multiplexed bool
}

// Multiplexed implements [engine.Stream].
func (s *stream) Multiplexed() bool { return s.multiplexed }
