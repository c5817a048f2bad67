package docker

import (
	"context"
	"net/http"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/execkill"
	"github.com/berthdev/berth/internal/wire"
)

// wireExecCreate is the body of POST /containers/{id}/exec.
type wireExecCreate struct {
	User         string   `json:",omitempty"`
	Privileged   bool     `json:",omitempty"`
	Tty          bool     `json:",omitempty"`
	AttachStdin  bool     `json:",omitempty"`
	AttachStdout bool     `json:",omitempty"`
	AttachStderr bool     `json:",omitempty"`
	DetachKeys   string   `json:",omitempty"`
	Env          []string `json:",omitempty"`
	WorkingDir   string   `json:",omitempty"`
	Cmd          []string
}

// wireExecStart is the body of POST /exec/{id}/start.
type wireExecStart struct {
	Detach      bool
	Tty         bool
	ConsoleSize *[2]uint16 `json:",omitempty"` // rows, columns
}

// wireExec is the answer of GET /exec/{id}/json.
type wireExec struct {
	ID            string
	ContainerID   string
	Running       bool
	ExitCode      *int
	Pid           int
	ProcessConfig struct {
		Tty        bool     `json:"tty"`
		Entrypoint string   `json:"entrypoint"`
		Arguments  []string `json:"arguments"`
		User       string   `json:"user"`
	}
}

// ExecCreate implements [engine.Execs].
func (e *Engine) ExecCreate(ctx context.Context, container string, spec engine.ExecSpec) (string, error) {
	if len(spec.Cmd) == 0 {
		return "", &engine.InvalidError{Option: "ExecSpec.Cmd", Reason: "empty"}
	}
	body := wireExecCreate{
		User:         spec.User,
		Privileged:   spec.Privileged,
		Tty:          spec.TTY,
		AttachStdin:  spec.AttachStdin,
		AttachStdout: spec.AttachStdout,
		AttachStderr: spec.AttachStderr,
		DetachKeys:   spec.DetachKeys,
		Env:          envList(spec.Env, spec.UnsetEnv),
		WorkingDir:   spec.WorkingDir,
		Cmd:          spec.Cmd,
	}
	if body.DetachKeys == "" {
		body.DetachKeys = e.keys
	}
	var out struct {
		ID string `json:"Id"`
	}
	err := e.container(ctx, "create exec in container", container, http.MethodPost, "/exec", nil, body, &out)
	return out.ID, err
}

// ExecStart implements [engine.Execs].
func (e *Engine) ExecStart(ctx context.Context, id string, opts engine.ExecStartOptions) (engine.Stream, error) {
	path, err := execPath(id, "/start")
	if err != nil {
		return nil, err
	}
	o := op{"start exec", id}
	body := wireExecStart{Detach: opts.Detach, Tty: opts.TTY}
	sized := opts.TTY && opts.Size != engine.Size{}
	if sized && e.api >= apiConsoleSize {
		body.ConsoleSize = &[2]uint16{opts.Size.Rows, opts.Size.Cols}
	}
	r := wire.Request{Method: http.MethodPost, Path: path, JSON: body}
	if opts.Detach {
		return nil, e.call(ctx, o, r, nil)
	}
	conn, err := e.wire.Hijack(ctx, r)
	if err != nil {
		return nil, e.fail(o, err)
	}
	if sized && e.api < apiConsoleSize {
		if err := e.sizeExec(ctx, id, opts.Size); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return &stream{Conn: conn, multiplexed: !opts.TTY}, nil
}

// sizeExec sets the size of a terminal that the engine is about to make. It cannot before, and the request waits a moment for it; once the process is over there is none to set.
func (e *Engine) sizeExec(ctx context.Context, id string, size engine.Size) error {
	for {
		err := e.ExecResize(ctx, id, size)
		if err == nil || ctx.Err() != nil {
			return err
		}
		st, ierr := e.ExecInspect(ctx, id)
		if ierr != nil {
			return ierr
		}
		if st.Started && !st.Running {
			return nil
		}
	}
}

// ExecInspect implements [engine.Execs].
func (e *Engine) ExecInspect(ctx context.Context, id string) (*engine.ExecState, error) {
	path, err := execPath(id, "/json")
	if err != nil {
		return nil, err
	}
	var w wireExec
	if err := e.call(ctx, op{"inspect exec", id}, get(path), &w); err != nil {
		return nil, err
	}
	s := &engine.ExecState{
		ID:          w.ID,
		ContainerID: w.ContainerID,
		Running:     w.Running,
		Started:     w.Running || w.ExitCode != nil || w.Pid != 0,
		ExitCode:    w.ExitCode,
		PID:         w.Pid,
		TTY:         w.ProcessConfig.Tty,
		User:        w.ProcessConfig.User,
		Command:     append([]string{w.ProcessConfig.Entrypoint}, w.ProcessConfig.Arguments...),
	}
	if s.Running {
		s.ExitCode = nil
	}
	return s, nil
}

// ExecResize implements [engine.Execs].
func (e *Engine) ExecResize(ctx context.Context, id string, size engine.Size) error {
	path, err := execPath(id, "/resize")
	if err != nil {
		return err
	}
	return e.call(ctx, op{"resize terminal of exec", id}, wire.Request{Method: http.MethodPost, Path: path, Query: sizeQuery(size)}, nil)
}

// ExecKill implements [engine.Execs]. Docker has no request for it.
func (e *Engine) ExecKill(ctx context.Context, id, signal string) error {
	st, err := e.ExecInspect(ctx, id)
	if err != nil {
		return err
	}
	return execkill.Kill(ctx, e, st, signal, "")
}

func execPath(id, suffix string) (string, error) {
	name, err := checkName("exec", id)
	if err != nil {
		return "", err
	}
	return "/exec/" + wire.Escape(name) + suffix, nil
}
