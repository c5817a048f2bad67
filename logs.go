package berth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/berthdev/berth/engine"
)

// OutputStream names a stream of a process's output.
type OutputStream string

// The streams.
const (
	Stdout OutputStream = "stdout"
	Stderr OutputStream = "stderr"
)

func (s OutputStream) String() string { return string(s) }

// LogLine is one line of a container's log.
type LogLine struct {
	// Stream is Stdout for all lines of a terminal.
	Stream OutputStream
	// Time is when the log driver got the line; of a line that it got in pieces, the
	// first. Podman before 5.8 has whole seconds.
	Time time.Time
	// Text is the line without its end, "\n" or "\r\n". With LogOptions.Timestamps
	// the time comes first, as the engine writes it.
	Text string
	// Partial tells that the line goes on in the next LogLine of that stream: it is
	// longer than 1 MiB. The last line of a log may lack its end without that.
	Partial bool
}

// Logs yields the lines of the container's log, with their stream and time: what
// the log driver kept, which for most drivers is not byte for byte what the
// process wrote (attach for that). A driver that cannot be read is an
// [UnsupportedError]. With LogOptions.Follow it goes on until the container ends.
//
// The iterator is single use. An error comes at most once and last. Leaving the
// loop closes the connection.
func (c *Container) Logs(ctx context.Context, opts ...LogOptions) iter.Seq2[LogLine, error] {
	o, err := atMostOne("Container.Logs", opts)
	if err == nil {
		err = checkLogOptions(o)
	}
	if err != nil {
		return failed[LogLine](err)
	}
	return func(yield func(LogLine, error) bool) {
		keep := o.Timestamps
		o.Timestamps = true
		r, err := c.cli.e.ContainerLogs(ctx, c.id, o)
		if err != nil {
			yield(LogLine{}, err)
			return
		}
		defer r.Close()
		lines := &logLines{yield: yield, keepTime: keep}
		if r.Multiplexed() {
			err = lines.readFrames(r)
		} else {
			err = lines.readRaw(r)
		}
		if lines.stopped {
			return
		}
		if err = c.logError(ctx, err); err != nil {
			yield(LogLine{}, err)
		}
	}
}

// logError says what the end of reading a log with err means.
func (c *Container) logError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return contextError(ctx)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("read log of %v: %w", c, err)
	}
	return err
}

// LogsTo copies the container's log to writers, without taking lines apart; a nil
// writer discards. A log of a terminal is all stdout. What [Container.Logs] says
// of drivers and LogOptions holds here too.
func (c *Container) LogsTo(ctx context.Context, stdout, stderr io.Writer, opts ...LogOptions) error {
	o, err := atMostOne("Container.LogsTo", opts)
	if err == nil {
		err = checkLogOptions(o)
	}
	if err != nil {
		return err
	}
	r, err := c.cli.e.ContainerLogs(ctx, c.id, o)
	if err != nil {
		return err
	}
	defer r.Close()
	return c.logError(ctx, copyOutput(stdout, stderr, r, r.Multiplexed()))
}

// CombinedLogs returns the container's log, stdout and stderr in the order in
// which they were logged. It is as long as the log: use LogOptions.Tail or
// [Container.LogsTo] for long ones.
func (c *Container) CombinedLogs(ctx context.Context, opts ...LogOptions) ([]byte, error) {
	out := newOutput("log", nil, -1)
	err := c.LogsTo(ctx, out, out, opts...)
	return out.collected(), err
}

func checkLogOptions(o LogOptions) error {
	switch {
	case o.NoStdout && o.NoStderr:
		return &engine.InvalidError{Option: "LogOptions", Reason: "both streams are left out"}
	case o.Tail != nil && *o.Tail < 0:
		return &engine.InvalidError{Option: "LogOptions.Tail", Reason: "negative"}
	case !o.Since.IsZero() && !o.Until.IsZero() && o.Until.Before(o.Since):
		return &engine.InvalidError{Option: "LogOptions.Until", Reason: "before Since"}
	}
	return nil
}
