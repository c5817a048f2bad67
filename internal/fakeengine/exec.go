package fakeengine

import (
	"context"
	"io"
	"sync"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
)

// exec is one command run in a container.
type exec struct {
	id     string
	c      *container
	spec   engine.ExecSpec
	killed chan struct{}
	once   sync.Once

	mu      sync.Mutex
	started bool
	code    *int
}

// ExecCreate implements engine.Engine.
func (e *Engine) ExecCreate(ctx context.Context, id string, spec engine.ExecSpec) (string, error) {
	c, err := e.open(ctx, "ExecCreate", id)
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	running := c.state.Running()
	c.mu.Unlock()
	if !running {
		return "", apiError("create exec", id, engine.ErrNotRunning, "container is not running")
	}
	x := &exec{id: newID(), c: c, spec: spec, killed: make(chan struct{})}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.execs[x.id] = x
	return x.id, nil
}

func (e *Engine) exec(ctx context.Context, op, id string) (*exec, error) {
	if err := e.enter(ctx, op, id); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if x := e.execs[id]; x != nil {
		return x, nil
	}
	return nil, apiError(op, id, engine.ErrNotFound, "no such exec")
}

// ExecStart implements engine.Engine. A missing program is Podman's way of
// telling: code 127 and a text on stderr.
func (e *Engine) ExecStart(ctx context.Context, id string, o engine.ExecStartOptions) (engine.Stream, error) {
	x, err := e.exec(ctx, "ExecStart", id)
	if err != nil {
		return nil, err
	}
	program := e.Programs[x.spec.Cmd[0]]
	if program == nil {
		program = func(p *Proc) int {
			io.WriteString(p.Stderr, "Error: crun: executable file `"+x.spec.Cmd[0]+"` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found\n")
			return 127
		}
	}
	x.mu.Lock()
	x.started = true
	x.mu.Unlock()
	if o.Detach {
		go x.run(program, &Proc{Args: x.spec.Cmd, Env: x.spec.Env, Stdin: eof{}, Stdout: io.Discard, Stderr: io.Discard, Killed: x.killed})
		return nil, nil
	}
	a := newAttachment(ctx, x.spec.TTY, x.spec.AttachStdin, x.spec.AttachStdout, x.spec.AttachStderr)
	p := &Proc{Args: x.spec.Cmd, Env: x.spec.Env, Stdin: eof{}, Stdout: toClient{a, frame.Stdout}, Stderr: toClient{a, frame.Stderr}, Killed: x.killed}
	if a.stdinR != nil {
		p.Stdin = a.stdinR
	}
	go func() {
		x.run(program, p)
		a.outW.Close()
		if a.stdinR != nil {
			a.stdinR.CloseWithError(io.ErrClosedPipe)
		}
	}()
	return a, nil
}

func (x *exec) run(program Program, p *Proc) {
	code := program(p)
	select {
	case <-x.killed:
		code = 137
	default:
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.code = &code
}

// toClient is an exec's output.
type toClient struct {
	a *attachment
	s frame.Stream
}

func (w toClient) Write(p []byte) (int, error) {
	w.a.send(w.s, p)
	return len(p), nil
}

// ExecInspect implements engine.Engine.
func (e *Engine) ExecInspect(ctx context.Context, id string) (*engine.ExecState, error) {
	x, err := e.exec(ctx, "ExecInspect", id)
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return &engine.ExecState{ID: id, ContainerID: x.c.id, Running: x.started && x.code == nil, Started: x.started, ExitCode: x.code, TTY: x.spec.TTY, Command: x.spec.Cmd}, nil
}

// ExecKill implements engine.Engine.
func (e *Engine) ExecKill(ctx context.Context, id, signal string) error {
	x, err := e.exec(ctx, "ExecKill", id)
	if err != nil {
		return err
	}
	x.once.Do(func() { close(x.killed) })
	return nil
}
