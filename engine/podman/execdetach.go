package podman

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
	"github.com/berthdev/berth/internal/wire"
)

const (
	// detachPause is between two questions whether an exec has begun.
	detachPause = 2 * time.Millisecond
	// maxDetachText bounds what is read of the output of an exec that has ended already, in bytes.
	maxDetachText = 64 << 10
)

// startDetached starts an exec in a way that keeps its exit code on engines before 4.5.1, which take a detached exec for running for five minutes and then forget it. It is attached, and
// left as soon as its process is there: the engine then discards the output and remembers the code. r is the request of an attached start; the exec must have an output to attach.
func (e *Engine) startDetached(ctx context.Context, o op, id string, tty bool, r wire.Request) error {
	conn, err := e.wire.Hijack(ctx, r)
	if err != nil {
		return e.fail(o, err)
	}
	defer conn.Close()
	for {
		w, err := e.execState(ctx, id)
		switch {
		case err != nil:
			return err
		case w.Running && w.Pid != 0:
			return nil
		case !w.Running:
			return e.notStarted(o, w, tty, conn)
		}
		select {
		case <-time.After(detachPause):
		case <-ctx.Done():
			return e.fail(o, ctx.Err())
		}
	}
}

// notStarted is the error of an exec that is over already, if what it wrote are the engine's words: nil for a process that was quick.
func (e *Engine) notStarted(o op, w *wireExec, tty bool, out io.Reader) error {
	if w.ExitCode != 126 && w.ExitCode != 127 {
		return nil
	}
	if !tty {
		out = unframe(out)
	}
	text, err := io.ReadAll(io.LimitReader(out, maxDetachText))
	if err != nil && len(text) == 0 {
		return nil // the exit code is all there is
	}
	message := strings.TrimSpace(string(text))
	if kind := normal.ExitKind(w.ExitCode, message); kind != nil {
		return &engine.APIError{Engine: Name, Op: o.verb, Object: o.object, Message: message, Kind: kind}
	}
	if strings.HasPrefix(message, "Error: ") && strings.Contains(message, ": exec failed: ") { // its working directory is missing, say
		return answerError(o, 0, "", message)
	}
	return nil
}
