package fakeengine

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
)

// logEntry is one write of a container's process.
type logEntry struct {
	stream frame.Stream
	time   time.Time
	text   string
}

// logReader is a log as the engine sends it.
type logReader struct {
	*io.PipeReader
	mux    bool
	cancel context.CancelFunc
	done   chan struct{}
}

func (r *logReader) Multiplexed() bool { return r.mux }

func (r *logReader) Close() error {
	r.cancel()
	err := r.PipeReader.Close()
	<-r.done
	return err
}

// ContainerLogs implements engine.Engine. Since and Until are not heeded.
func (e *Engine) ContainerLogs(ctx context.Context, id string, o engine.LogOptions) (engine.LogReader, error) {
	c, err := e.open(ctx, "ContainerLogs", id)
	if err != nil {
		return nil, err
	}
	if c.spec.LogConfig.Driver == "none" {
		return nil, &engine.UnsupportedError{Option: "Container.Logs", Engine: "fake", Reason: "the log driver cannot be read"}
	}
	ctx, cancel := context.WithCancel(ctx)
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(c.copyLog(ctx, w, o))
	}()
	return &logReader{r, !c.spec.TTY, cancel, done}, nil
}

func (c *container) copyLog(ctx context.Context, w io.Writer, o engine.LogOptions) error {
	for sent := 0; ; {
		c.mu.Lock()
		entries, logged, running := c.log[sent:], c.logged, c.state.Running()
		sent = len(c.log)
		c.mu.Unlock()
		for _, entry := range entries {
			if entry.stream == frame.Stdout && o.NoStdout || entry.stream == frame.Stderr && o.NoStderr {
				continue
			}
			for line := range strings.SplitAfterSeq(entry.text, "\n") {
				if line == "" {
					continue
				}
				if o.Timestamps {
					line = entry.time.UTC().Format(time.RFC3339Nano) + " " + line
				}
				var err error
				if c.spec.TTY {
					_, err = io.WriteString(w, line)
				} else {
					_, err = frame.NewWriter(w, entry.stream).Write([]byte(line))
				}
				if err != nil {
					return err
				}
			}
		}
		if !o.Follow || !running && len(entries) == 0 {
			return nil
		}
		if !running {
			continue
		}
		select {
		case <-logged:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
