package podman

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// ContainerLogs implements [engine.Containers]. The log is framed always, that of a terminal too. With Tail, Podman 4.3 joins a last line that does not end to the one before it.
func (e *Engine) ContainerLogs(ctx context.Context, id string, opts engine.LogOptions) (engine.LogReader, error) {
	query, err := logQuery(opts)
	if err != nil {
		return nil, err
	}
	path, err := containerPath(id, "/logs")
	if err != nil {
		return nil, err
	}
	resp, err := e.stream(ctx, op{"read log of container", id}, wire.Request{Method: http.MethodGet, Path: path, Query: query})
	if err != nil {
		return nil, err
	}
	return logReader{resp.Body}, nil
}

type logReader struct{ io.ReadCloser }

// Multiplexed implements [engine.LogReader].
func (logReader) Multiplexed() bool { return true }

func logQuery(opts engine.LogOptions) (url.Values, error) {
	if opts.NoStdout && opts.NoStderr {
		return nil, &engine.InvalidError{Option: "LogOptions.NoStderr", Reason: "with NoStdout nothing is left to read"}
	}
	query := url.Values{"stdout": {boolean(!opts.NoStdout)}, "stderr": {boolean(!opts.NoStderr)}, "follow": {boolean(opts.Follow)}, "timestamps": {boolean(opts.Timestamps)}}
	if opts.Tail != nil {
		if *opts.Tail < 0 {
			return nil, &engine.InvalidError{Option: "LogOptions.Tail", Value: strconv.Itoa(*opts.Tail), Reason: "it is negative"}
		}
		query.Set("tail", strconv.Itoa(*opts.Tail))
	}
	if !opts.Since.IsZero() {
		query.Set("since", opts.Since.Format(time.RFC3339Nano))
	}
	if !opts.Until.IsZero() {
		query.Set("until", opts.Until.Format(time.RFC3339Nano))
	}
	return query, nil
}
