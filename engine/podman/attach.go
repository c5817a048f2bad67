package podman

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// ContainerAttach implements [engine.Containers]. It looks at the container first: attaching to one that has ended would initialize it anew, and lose its exit code.
//
// Closing the stream of an attach with Stdin ends the container's standard input for good, whatever Spec.StdinOnce says.
func (e *Engine) ContainerAttach(ctx context.Context, id string, opts engine.AttachOptions) (engine.Stream, error) {
	o := op{"attach to container", id}
	if opts.Websocket {
		return nil, e.unsupported("AttachOptions.Websocket", "", "Podman has no websocket endpoint")
	}
	if opts.NoStream && !opts.Logs {
		return nil, &engine.InvalidError{Option: "AttachOptions.NoStream", Reason: "without Logs there is nothing to attach"}
	}
	if !opts.Stdin && !opts.Stdout && !opts.Stderr {
		opts.Stdout, opts.Stderr = true, true
	}
	w, err := e.attached(ctx, o, id, opts.Created)
	if err != nil {
		return nil, err
	}
	if opts.NoStream {
		return e.attachLogs(ctx, w, opts)
	}
	switch status, _ := statusOf(w.State.Status); status {
	case engine.StatusCreated, engine.StatusInitialized, engine.StatusRunning:
	case engine.StatusPaused:
		return nil, &engine.APIError{Engine: Name, Op: o.verb, Object: o.object, Message: "the container is paused", Kind: engine.ErrConflict}
	default:
		return nil, &engine.APIError{Engine: Name, Op: o.verb, Object: o.object, Message: "the container is " + string(status), Kind: engine.ErrNotRunning}
	}
	query := url.Values{
		"stream": {"true"}, "logs": {boolean(opts.Logs)},
		"stdin": {boolean(opts.Stdin)}, "stdout": {boolean(opts.Stdout)}, "stderr": {boolean(opts.Stderr)},
	}
	if keys := e.detachKeys(opts.DetachKeys); keys != "" {
		query.Set("detachKeys", keys)
	}
	path, err := containerPath(w.ID, "/attach")
	if err != nil {
		return nil, err
	}
	var conn *wire.Conn
	err = e.startAgain(ctx, func() (err error) { // attaching to a created container initializes it: what start can fail with, attach can
		conn, err = e.wire.Hijack(ctx, wire.Request{Method: http.MethodPost, Path: path, Query: query})
		return e.fail(o, err)
	})
	if err != nil {
		return nil, err
	}
	s := &stream{Conn: conn, out: conn, tty: w.Config.Tty}
	if opts.Logs && !s.tty && e.version < vAttachLogs {
		s.out = newMended(conn)
	}
	return s, nil
}

// attached is the container that is attached to: as the engine shows it, or as its creator knows it.
func (e *Engine) attached(ctx context.Context, o op, id string, created *engine.Spec) (*wireContainer, error) {
	if created == nil {
		return e.inspect(ctx, o, id)
	}
	w := &wireContainer{ID: id}
	w.State.Status = string(engine.StatusCreated)
	w.Config.Tty = created.TTY
	return w, nil
}

// detachKeys are own, or those of the client's configuration.
func (e *Engine) detachKeys(own string) string {
	if own != "" {
		return own
	}
	return e.keys
}

// stream is an attach or exec connection. Whether it is framed is told by the terminal alone: the answer's Content-Type is wrong before 4.7.
type stream struct {
	*wire.Conn
	out io.Reader
	tty bool
}

func (s *stream) Read(p []byte) (int, error) { return s.out.Read(p) }

// Multiplexed implements [engine.Stream].
func (s *stream) Multiplexed() bool { return !s.tty }

// attachLogs serves an attach that wants what was logged and nothing else.
func (e *Engine) attachLogs(ctx context.Context, w *wireContainer, opts engine.AttachOptions) (engine.Stream, error) {
	if !opts.Stdout && !opts.Stderr {
		return nil, &engine.InvalidError{Option: "AttachOptions.Stdin", Reason: "there is no log of it"}
	}
	logs, err := e.ContainerLogs(ctx, w.ID, engine.LogOptions{NoStdout: !opts.Stdout, NoStderr: !opts.Stderr})
	if err != nil {
		return nil, err
	}
	s := &logStream{Closer: logs, out: logs, tty: w.Config.Tty}
	if s.tty {
		s.out = unframe(logs)
	}
	return s, nil
}

// logStream is a log in the place of a connection: it has no input.
type logStream struct {
	io.Closer
	out io.Reader
	tty bool
}

func (s *logStream) Read(p []byte) (int, error) { return s.out.Read(p) }
func (s *logStream) Write([]byte) (int, error)  { return 0, io.ErrClosedPipe }

// CloseWrite implements [engine.Stream].
func (s *logStream) CloseWrite() error { return nil }

// Multiplexed implements [engine.Stream].
func (s *logStream) Multiplexed() bool { return !s.tty }
