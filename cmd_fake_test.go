package berth

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
	"github.com/berthdev/berth/internal/leaktest"
)

// execEngine is an engine whose only container runs Go functions as processes.
// What it does not implement panics.
type execEngine struct {
	engine.Engine

	run     func(p *proc) int // the process
	canKill bool              // ExecKill works
	noKill  bool              // Supports says that it does not
	noCode  bool              // it forgets exit codes
	started *bool             // what ExecState.Started says; nil is the truth

	startErr  error
	cut       bool // the stream ends although the process goes on
	truncated []byte

	mu       sync.Mutex
	spec     engine.ExecSpec
	proc     *proc
	killed   []string
	inspects int
}

// proc is a process of an execEngine.
type proc struct {
	in     io.Reader
	out    io.Writer
	err    io.Writer
	kill   chan struct{} // closed by ExecKill
	spec   engine.ExecSpec
	opts   engine.ExecStartOptions
	stream *pipeStream

	mu   sync.Mutex
	code *int
	size engine.Size
}

func (e *execEngine) Supports(engine.Feature) bool { return !e.noKill }

func (e *execEngine) Identity() engine.Identity { return engine.Identity{Name: "fake", Host: "fake"} }

func (e *execEngine) Close() error { return nil }

func (e *execEngine) ExecCreate(_ context.Context, container string, spec engine.ExecSpec) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.spec = spec
	return "exec1", nil
}

func (e *execEngine) ExecStart(ctx context.Context, _ string, o engine.ExecStartOptions) (engine.Stream, error) {
	if e.startErr != nil {
		return nil, e.startErr
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s := newPipeStream(ctx, !e.spec.TTY)
	p := &proc{in: s.inR, kill: make(chan struct{}), spec: e.spec, opts: o, stream: s, out: io.Discard, err: io.Discard}
	if !o.Detach {
		p.out, p.err = s.outW, s.outW
		if !e.spec.TTY {
			p.out, p.err = frame.NewWriter(s.outW, frame.Stdout), frame.NewWriter(s.outW, frame.Stderr)
		}
	}
	if !e.spec.AttachStdin {
		s.inW.Close()
	}
	e.proc = p
	go func() {
		code := e.run(p)
		p.mu.Lock()
		p.code = &code
		p.mu.Unlock()
		s.end(nil)
	}()
	if e.cut {
		go s.end(e.truncated)
	}
	if o.Detach {
		return nil, nil
	}
	return s, nil
}

func (e *execEngine) ExecInspect(ctx context.Context, id string) (*engine.ExecState, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inspects++
	st := &engine.ExecState{ID: id, Running: true, Started: true, PID: 42}
	e.proc.mu.Lock()
	defer e.proc.mu.Unlock()
	if code := e.proc.code; code != nil {
		st.Running = false
		if !e.noCode {
			st.ExitCode = new(*code)
		}
	}
	if e.started != nil {
		if st.Started = *e.started; !st.Started {
			st.PID = 0
		}
	}
	return st, nil
}

func (e *execEngine) ExecKill(_ context.Context, id, signal string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.killed = append(e.killed, signal)
	if !e.canKill {
		return &engine.ExecAliveError{ExecID: id, PID: 42, Err: fmt.Errorf("no way to kill it")}
	}
	select {
	case <-e.proc.kill:
	default:
		close(e.proc.kill)
	}
	return nil
}

func (e *execEngine) ExecResize(_ context.Context, _ string, size engine.Size) error {
	e.proc.mu.Lock()
	defer e.proc.mu.Unlock()
	e.proc.size = size
	return nil
}

// pipeStream is an engine.Stream in memory.
type pipeStream struct {
	framed bool
	inR    *io.PipeReader
	inW    *io.PipeWriter
	outR   *io.PipeReader
	outW   *io.PipeWriter
	stop   func() bool
}

func newPipeStream(ctx context.Context, framed bool) *pipeStream {
	s := &pipeStream{framed: framed}
	s.inR, s.inW = io.Pipe()
	s.outR, s.outW = io.Pipe()
	s.stop = context.AfterFunc(ctx, func() { s.shut(ctx.Err()) })
	return s
}

func (s *pipeStream) Read(p []byte) (int, error)  { return s.outR.Read(p) }
func (s *pipeStream) Write(p []byte) (int, error) { return s.inW.Write(p) }
func (s *pipeStream) CloseWrite() error           { return s.inW.Close() }
func (s *pipeStream) Multiplexed() bool           { return s.framed }
func (s *pipeStream) Close() error                { s.stop(); s.shut(io.ErrClosedPipe); return nil }

func (s *pipeStream) shut(err error) {
	s.outR.CloseWithError(err)
	s.inW.CloseWithError(io.EOF) // the process reads end of file
	s.inR.CloseWithError(err)
}

// end is the engine's side ending the stream.
func (s *pipeStream) end(last []byte) {
	if len(last) > 0 {
		s.outW.Write(last)
	}
	s.outW.Close()
	s.inR.CloseWithError(io.ErrClosedPipe)
}

// execCommand makes a command of the container of e.
func execCommand(t *testing.T, e *execEngine, args ...string) *Cmd {
	t.Helper()
	leaktest.Check(t)
	o, err := newOptions([]Option{withEnv(noEnv), WithCleanupTimeout(2 * time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	cli := newClient(e, o)
	t.Cleanup(func() { cli.Close() })
	if len(args) == 0 {
		args = []string{"process"}
	}
	return cli.container("c0ffee").Command(args[0], args[1:]...)
}

// write is an output of a process.
func write(w io.Writer, text string) { io.WriteString(w, text) }
