package fakeengine

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
)

// ContainerStart implements engine.Engine.
func (e *Engine) ContainerStart(ctx context.Context, id string, _ engine.StartOptions) error {
	c, err := e.open(ctx, "ContainerStart", id)
	if err != nil {
		return err
	}
	program := e.Programs[c.spec.Command[0]]
	if program == nil {
		return apiError("start container", id, engine.ErrCommandNotFound, `OCI runtime create failed: exec: "`+c.spec.Command[0]+`": executable file not found in $PATH`)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Running() {
		return nil
	}
	if c.exitCode != nil { // a further run
		c.exit, c.exitCode = make(chan struct{}), nil
	} else {
		close(c.started)
	}
	c.killed = make(chan struct{})
	c.signals = make(chan string, 16)
	c.state.Status, c.state.StartedAt = engine.StatusRunning, time.Now()
	go c.run(program)
	return nil
}

// run is the life of the container's process.
func (c *container) run(program Program) {
	p := &Proc{
		Args: c.spec.Command, Env: c.spec.Env, Killed: c.killed, Signals: c.signals, Detach: c.dropAttachments,
		Stdin: c.stdin(), Stdout: output{c, frame.Stdout}, Stderr: output{c, frame.Stderr},
	}
	code := program(p)
	c.mu.Lock()
	select {
	case <-c.killed:
		code = 137
	default:
	}
	c.state.Status, c.state.ExitCode, c.state.FinishedAt = engine.StatusExited, code, time.Now()
	if c.spec.TTY || c.state.OOMKilled == nil {
		c.state.OOMKilled = new(code == 137 && c.spec.Labels["oom"] != "")
	}
	c.exitCode = &code
	auto := c.spec.AutoRemove
	close(c.logged)
	c.logged = make(chan struct{})
	c.mu.Unlock()
	c.dropAttachments() // the output ends before the engine tells of the exit
	close(c.exit)
	if auto {
		c.remove()
	}
}

// stdin is the process's input: that of the first attachment with one.
func (c *container) stdin() io.Reader {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.attached {
		if a.stdinR != nil {
			return a.stdinR
		}
	}
	return eof{}
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// kill ends the process.
func (c *container) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.killed == nil {
		return
	}
	select {
	case <-c.killed:
	default:
		close(c.killed)
		for _, a := range c.attached {
			if a.stdinR != nil {
				a.stdinR.CloseWithError(io.EOF)
			}
		}
	}
}

// ContainerKill implements engine.Engine.
func (e *Engine) ContainerKill(ctx context.Context, id, signal string) error {
	c, err := e.open(ctx, "ContainerKill", id)
	if err != nil {
		return err
	}
	c.mu.Lock()
	running := c.state.Running()
	c.mu.Unlock()
	if !running {
		return apiError("kill container", id, engine.ErrNotRunning, "container is not running")
	}
	if signal == "" || signal == "SIGKILL" || signal == "KILL" || signal == "9" {
		c.kill()
		return nil
	}
	select {
	case c.signals <- signal:
	default:
	}
	return nil
}

// ContainerStop implements engine.Engine: it kills.
func (e *Engine) ContainerStop(ctx context.Context, id string, _ engine.StopOptions) error {
	c, err := e.open(ctx, "ContainerStop", id)
	if err != nil {
		return err
	}
	c.mu.Lock()
	running, exit := c.state.Running(), c.exit
	c.mu.Unlock()
	if !running {
		return nil
	}
	c.kill()
	select {
	case <-exit:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// waiter is a wait for the end of a container, or its removal.
type waiter struct {
	ctx    context.Context
	cancel context.CancelFunc
	c      *container
	done   <-chan struct{}
}

// ContainerWait implements engine.Engine.
func (e *Engine) ContainerWait(ctx context.Context, id string, cond engine.WaitCondition) (engine.Waiter, error) {
	c, err := e.open(ctx, "ContainerWait "+string(cond), id)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	done := c.exit
	switch cond {
	case engine.WaitRemoved:
		done = c.removed
	case engine.WaitNotRunning:
		if !c.state.Running() {
			done = make(chan struct{})
			close(done)
		}
	case engine.WaitNextExit:
	default:
		return nil, &engine.InvalidError{Option: "condition", Value: string(cond)}
	}
	ctx, cancel := context.WithCancel(ctx)
	return &waiter{ctx, cancel, c, done}, nil
}

func (w *waiter) Wait() (engine.Exit, error) {
	select {
	case <-w.done:
		w.c.mu.Lock()
		defer w.c.mu.Unlock()
		if w.c.e.WaitError != nil {
			return engine.Exit{}, w.c.e.WaitError
		}
		if w.c.exitCode == nil {
			return engine.Exit{}, nil
		}
		return engine.Exit{Code: *w.c.exitCode}, nil
	case <-w.ctx.Done():
		return engine.Exit{}, w.ctx.Err()
	}
}

func (w *waiter) Close() error {
	w.cancel()
	return nil
}

// output is a process's stdout or stderr.
type output struct {
	c *container
	s frame.Stream
}

func (o output) Write(p []byte) (int, error) {
	o.c.mu.Lock()
	o.c.log = append(o.c.log, logEntry{o.s, time.Now(), string(p)})
	close(o.c.logged)
	o.c.logged = make(chan struct{})
	attached := append([]*attachment(nil), o.c.attached...)
	o.c.mu.Unlock()
	for _, a := range attached {
		a.send(o.s, p) // a client that is gone is none of the process's business
	}
	select {
	case <-o.c.killed:
		return 0, io.ErrClosedPipe
	default:
	}
	return len(p), nil
}

// attachment is one client's connection to a container.
type attachment struct {
	ctx            context.Context
	tty            bool
	stdout, stderr bool

	outR   *io.PipeReader
	outW   *io.PipeWriter
	stdinR *io.PipeReader // nil without input
	stdinW *io.PipeWriter
	once   sync.Once
	unwait func() bool
}

// ContainerAttach implements engine.Engine.
func (e *Engine) ContainerAttach(ctx context.Context, id string, o engine.AttachOptions) (engine.Stream, error) {
	c, err := e.open(ctx, "ContainerAttach", id)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Ended() {
		return nil, apiError("attach to container", id, engine.ErrNotRunning, "container is not running")
	}
	a := newAttachment(ctx, c.spec.TTY, o.Stdin, o.Stdout || !o.Stdin && !o.Stderr, o.Stderr || !o.Stdin && !o.Stdout)
	c.attached = append(c.attached, a)
	return a, nil
}

func newAttachment(ctx context.Context, tty, stdin, stdout, stderr bool) *attachment {
	a := &attachment{ctx: ctx, tty: tty, stdout: stdout, stderr: stderr}
	a.outR, a.outW = io.Pipe()
	if stdin {
		a.stdinR, a.stdinW = io.Pipe()
	}
	a.unwait = context.AfterFunc(ctx, func() { a.Close() })
	return a
}

// send passes output to the client.
func (a *attachment) send(s frame.Stream, p []byte) {
	switch {
	case a.tty:
		a.outW.Write(p)
	case s == frame.Stdout && a.stdout, s == frame.Stderr && a.stderr:
		frame.NewWriter(a.outW, s).Write(p)
	}
}

func (c *container) dropAttachments() {
	c.mu.Lock()
	attached := c.attached
	c.attached = nil
	c.mu.Unlock()
	for _, a := range attached {
		a.outW.Close()
		if a.stdinR != nil {
			a.stdinR.CloseWithError(io.ErrClosedPipe)
		}
	}
}

func (a *attachment) Read(p []byte) (int, error) {
	n, err := a.outR.Read(p)
	if err != nil && a.ctx.Err() != nil {
		err = a.ctx.Err()
	}
	return n, err
}

func (a *attachment) Write(p []byte) (int, error) {
	if a.stdinW == nil {
		return 0, io.ErrClosedPipe
	}
	return a.stdinW.Write(p)
}

func (a *attachment) CloseWrite() error {
	if a.stdinW != nil {
		a.stdinW.Close()
	}
	return nil
}

func (a *attachment) Multiplexed() bool { return !a.tty }

func (a *attachment) Close() error {
	a.once.Do(func() {
		a.unwait()
		a.outR.Close()
		if a.stdinW != nil {
			a.stdinW.Close()
		}
	})
	return nil
}
