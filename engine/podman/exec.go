package podman

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// wireExecCreate is the body of POST /containers/{n}/exec.
type wireExecCreate struct {
	Cmd          []string
	Env          []string `json:",omitempty"`
	WorkingDir   string   `json:",omitempty"`
	User         string   `json:",omitempty"`
	DetachKeys   string   `json:",omitempty"`
	Privileged   bool
	Tty          bool
	AttachStdin  bool
	AttachStdout bool
	AttachStderr bool
}

// ExecCreate implements [engine.Execs].
func (e *Engine) ExecCreate(ctx context.Context, container string, spec engine.ExecSpec) (string, error) {
	if len(spec.Cmd) == 0 {
		return "", &engine.InvalidError{Option: "ExecSpec.Cmd", Reason: "it is empty"}
	}
	if len(spec.UnsetEnv) > 0 {
		return "", e.unsupported("ExecSpec.UnsetEnv", "", "an exec has all of the container's environment")
	}
	body := wireExecCreate{
		Cmd: spec.Cmd, WorkingDir: spec.WorkingDir, User: spec.User, DetachKeys: e.detachKeys(spec.DetachKeys), Privileged: spec.Privileged, Tty: spec.TTY,
		AttachStdin: spec.AttachStdin, AttachStdout: spec.AttachStdout, AttachStderr: spec.AttachStderr,
	}
	if e.version < vExecDetached && !spec.AttachStdin && !spec.AttachStdout && !spec.AttachStderr {
		body.AttachStdout = true // one stream has to be attached, to be started with Detach too
	}
	for k, v := range spec.Env {
		body.Env = append(body.Env, k+"="+v)
	}
	slices.Sort(body.Env)
	var out struct{ ID string }
	err := e.container(ctx, "create exec in container", container, http.MethodPost, "/exec", nil, body, &out)
	return out.ID, err
}

// wireExecStart is the body of POST /exec/{id}/start.
type wireExecStart struct {
	Detach bool
	Tty    bool
	Height uint16 `json:"h,omitzero"`
	Width  uint16 `json:"w,omitzero"`
}

// ExecStart implements [engine.Execs].
func (e *Engine) ExecStart(ctx context.Context, id string, opts engine.ExecStartOptions) (engine.Stream, error) {
	path, err := objectPath("exec", "/exec/", id, "/start")
	if err != nil {
		return nil, err
	}
	o := op{"start exec", id}
	detach := opts.Detach && e.version >= vExecLiveness
	r := wire.Request{Method: http.MethodPost, Path: path, JSON: wireExecStart{Detach: detach, Tty: opts.TTY, Height: opts.Size.Rows, Width: opts.Size.Cols}}
	switch {
	case detach:
		return nil, e.call(ctx, o, r, nil)
	case opts.Detach:
		return nil, e.startDetached(ctx, o, id, opts.TTY, r)
	}
	conn, err := e.wire.Hijack(ctx, r)
	if err != nil {
		return nil, e.fail(o, err)
	}
	if opts.Size != (engine.Size{}) {
		e.resizes.tell(strings.TrimSuffix(path, "/start")+"/resize", opts.Size)
	}
	return &stream{Conn: conn, out: conn, tty: opts.TTY}, nil
}

// wireExec is the answer of GET /exec/{id}/json.
type wireExec struct {
	ID            string
	ContainerID   string
	Running       bool
	ExitCode      int // 0 while it runs
	Pid           int
	CanRemove     bool
	ProcessConfig struct {
		Entrypoint string   `json:"entrypoint"`
		Arguments  []string `json:"arguments"`
		Tty        bool     `json:"tty"`
		User       string   `json:"user"`
	}
}

// ExecInspect implements [engine.Execs]. An engine forgets an exec five minutes after its end. Before 4.5.1 it takes one that was started detached (by another client than this
// one) for running until then, whatever became of it, and has lost its exit code: whether it lives is then looked for among the container's processes, and ExitCode is nil.
func (e *Engine) ExecInspect(ctx context.Context, id string) (*engine.ExecState, error) {
	w, err := e.execState(ctx, id)
	if err != nil {
		return nil, err
	}
	if w.Running && e.version < vExecLiveness && w.Pid != 0 {
		if w, err = e.execLives(ctx, w); err != nil {
			return nil, err
		}
	}
	st := &engine.ExecState{
		ID:          w.ID,
		ContainerID: w.ContainerID,
		Running:     w.Running,
		Started:     w.Running || w.Pid != 0 || w.CanRemove,
		PID:         w.Pid,
		TTY:         w.ProcessConfig.Tty,
		User:        w.ProcessConfig.User,
		Command:     append([]string{w.ProcessConfig.Entrypoint}, w.ProcessConfig.Arguments...),
	}
	if !w.Running && w.CanRemove {
		st.ExitCode = &w.ExitCode
	}
	return st, nil
}

const (
	// execNotice bounds how long an engine may take to notice that an attached exec has ended, of which a detached one is never told apart: a second, in steps.
	execNoticeTries = 50
	execNoticePause = 20 * time.Millisecond
)

// execLives is w, of an exec that the engine says runs, as it is: not running where its process is gone, with its exit code if the engine gets to know it.
func (e *Engine) execLives(ctx context.Context, w *wireExec) (*wireExec, error) {
	alive, err := e.hasProcess(ctx, w.ContainerID, w.Pid)
	if err != nil || alive {
		return w, err
	}
	for range execNoticeTries {
		now, err := e.execState(ctx, w.ID)
		if err != nil || !now.Running {
			return now, err
		}
		if err := e.pause(ctx, op{"inspect exec", w.ID}, execNoticePause); err != nil {
			return nil, err
		}
	}
	w.Running = false // and CanRemove false: its exit code is lost
	return w, nil
}

// execState is what the engine says of an exec.
func (e *Engine) execState(ctx context.Context, id string) (*wireExec, error) {
	path, err := objectPath("exec", "/exec/", id, "/json")
	if err != nil {
		return nil, err
	}
	w := &wireExec{}
	return w, e.call(ctx, op{"inspect exec", id}, get(path), w)
}
