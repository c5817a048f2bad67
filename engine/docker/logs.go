package docker

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
	"github.com/berthdev/berth/internal/wire"
)

// ContainerLogs implements [engine.Containers]. It is one request, below API 1.42 two: the container is asked whether it has a terminal.
func (e *Engine) ContainerLogs(ctx context.Context, id string, opts engine.LogOptions) (engine.LogReader, error) {
	if opts.NoStdout && opts.NoStderr {
		return nil, &engine.InvalidError{Option: "LogOptions", Value: "NoStdout, NoStderr", Reason: "nothing would be left"}
	}
	if opts.Tail != nil && *opts.Tail < 0 {
		return nil, &engine.InvalidError{Option: "LogOptions.Tail", Value: strconv.Itoa(*opts.Tail), Reason: "negative"}
	}
	path, err := containerPath(id, "/logs")
	if err != nil {
		return nil, err
	}
	o := op{"read logs of container", id}
	tty := false
	if e.api < apiContentType {
		c, err := e.inspect(ctx, o.verb, id)
		if err != nil {
			return nil, err
		}
		tty = c.Config.Tty
	}
	ctx, cancel := context.WithCancel(ctx)
	resp, err := e.stream(ctx, o, wire.Request{Method: http.MethodGet, Path: path, Query: logQuery(&opts)})
	if err != nil {
		cancel()
		return nil, err
	}
	return &logReader{ReadCloser: resp.Body, cancel: cancel, multiplexed: e.multiplexed(resp.Header, tty)}, nil
}

func logQuery(opts *engine.LogOptions) url.Values {
	query := url.Values{}
	set := func(key string, on bool) {
		if on {
			query.Set(key, "1")
		}
	}
	set("stdout", !opts.NoStdout)
	set("stderr", !opts.NoStderr)
	set("follow", opts.Follow)
	set("timestamps", opts.Timestamps)
	if !opts.Since.IsZero() {
		query.Set("since", normal.Timestamp(opts.Since))
	}
	if !opts.Until.IsZero() {
		query.Set("until", normal.Timestamp(opts.Until))
	}
	if opts.Tail != nil {
		query.Set("tail", strconv.Itoa(*opts.Tail))
	}
	return query
}

// logReader is a log as an [engine.LogReader]. Closing it ends its request, so that it does not wait for the rest of a log that is followed.
type logReader struct {
	io.ReadCloser
	cancel      context.CancelFunc
	multiplexed bool
}

// Multiplexed implements [engine.LogReader].
func (l *logReader) Multiplexed() bool { return l.multiplexed }

// Close implements [io.Closer].
func (l *logReader) Close() error {
	l.cancel()
	return l.ReadCloser.Close()
}
