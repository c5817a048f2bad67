package berth

import (
	"context"
	"io"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
)

// running is a started command: its connection and the goroutines that serve it.
type running struct {
	cmd    *Cmd
	e      engine.Engine
	ctx    context.Context // of Start: governs the process until Wait returns
	id     string
	marker string // NAME=VALUE by which the process can be found, or ""
	keys   []byte // that detach; nil without a terminal

	stream      engine.Stream // nil when detached
	closeStream context.CancelFunc
	unwatch     func() bool   // ends the watch over ctx; false when it is too late
	interrupted chan struct{} // closed when ctx is done and all that follows from it has been done
	aliveErr    error         // written before interrupted is closed: why the process may live on
	wasOver     bool          // likewise: the process had ended by itself when ctx was done

	input  *pump         // nil without Stdin
	copied chan struct{} // closed when the output has been copied
	stdout *cmdSink      // nil when the caller has the connection
	stderr *cmdSink
	head   head
	outErr error             // of the stream, written before copied is closed
	state  *engine.ExecState // likewise, where the end of the output had to ask for it
}

// begin watches ctx and, unless the caller does it over a Conn, copies.
func (r *running) begin(conn bool) {
	r.copied = make(chan struct{})
	if conn {
		close(r.copied)
	} else {
		r.stdout = &cmdSink{w: r.cmd.Stdout}
		r.stderr = &cmdSink{w: r.cmd.Stderr}
		if r.cmd.Stdin != nil {
			r.input = startPump(r.cmd.Stdin, r.stream, r.cmd.TTY, r.keys)
		}
		go r.copyOutput()
	}
	r.unwatch = context.AfterFunc(r.ctx, r.interrupt)
}

// copyOutput copies until the stream ends. What an engine says in place of a
// process is held back by r.head until the exit code tells whose words they are.
func (r *running) copyOutput() {
	defer close(r.copied)
	r.head.stdout, r.head.stderr = r.stdout, r.stderr
	r.outErr = copyOutput(r.head.writer(frame.Stdout), r.head.writer(frame.Stderr), onlyReader{r.stream}, r.stream.Multiplexed())
	if r.head.holds() {
		if r.outErr == nil {
			r.state, r.outErr = r.settle(r.ctx)
		}
		r.head.decide(r.state)
	}
	err := r.outErr
	if r.ctx.Err() != nil { // the readers of pipes must not take a process that was killed for one that was through
		err = contextError(r.ctx)
	}
	r.cmd.closePipes(err)
}

// onlyReader hides the other methods of a stream from io.Copy.
type onlyReader struct{ io.Reader }
