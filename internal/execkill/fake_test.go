package execkill

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

const containerID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// fakeEngine has one container with one exec; commands run in it are run here, by the test's own shell, or not at all.
type fakeEngine struct {
	engine.Engine // nil: a call that the test does not expect panics

	identity engine.Identity
	state    func() (*engine.ExecState, error) // of the exec that is to be killed
	top      *engine.Top
	topErr   error
	ended    bool // the container
	run      func(spec engine.ExecSpec) (output string, code int, err error)
	loseCode bool // as Podman 4.3 does

	ran   []engine.ExecSpec
	codes map[string]int
}

func (f *fakeEngine) Identity() engine.Identity { return f.identity }

func (f *fakeEngine) ExecInspect(ctx context.Context, id string) (*engine.ExecState, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if id == "victim" {
		return f.state()
	}
	st := &engine.ExecState{ID: id, Started: true}
	if !f.loseCode {
		st.ExitCode = new(f.codes[id])
	}
	return st, nil
}

func (f *fakeEngine) ContainerInspect(context.Context, string, engine.InspectOptions) (*engine.Attrs, error) {
	if f.ended {
		return &engine.Attrs{State: engine.State{Status: engine.StatusExited}}, nil
	}
	return &engine.Attrs{State: engine.State{Status: engine.StatusRunning}}, nil
}

func (f *fakeEngine) ContainerTop(_ context.Context, id string, opts engine.TopOptions) (*engine.Top, error) {
	if id != containerID || strings.Join(opts.Args, ",") != "pid,hpid" {
		return nil, errors.New("unexpected top")
	}
	return f.top, f.topErr
}

func (f *fakeEngine) ExecCreate(ctx context.Context, id string, spec engine.ExecSpec) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if id != containerID || spec.Privileged || !spec.AttachStdout || f.run == nil {
		return "", errors.New("unexpected exec")
	}
	f.ran = append(f.ran, spec)
	return "helper", nil
}

func (f *fakeEngine) ExecStart(context.Context, string, engine.ExecStartOptions) (engine.Stream, error) {
	output, code, err := f.run(f.ran[len(f.ran)-1])
	f.codes = map[string]int{"helper": code}
	return fakeStream{strings.NewReader(output)}, err
}

type fakeStream struct{ io.Reader }

func (fakeStream) Write(p []byte) (int, error) { return len(p), nil }
func (fakeStream) Close() error                { return nil }
func (fakeStream) CloseWrite() error           { return nil }
func (fakeStream) Multiplexed() bool           { return true }

// runHere runs a command of the "container" on this machine.
func runHere(spec engine.ExecSpec) (string, int, error) {
	cmd := exec.Command(spec.Cmd[0], spec.Cmd[1:]...)
	out, err := cmd.CombinedOutput()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		err = nil
	}
	if err != nil {
		return err.Error(), 127, nil
	}
	return string(out), cmd.ProcessState.ExitCode(), nil
}

// always is an exec that the engine shows as running for ever.
func always(pid int) func() (*engine.ExecState, error) {
	return func() (*engine.ExecState, error) {
		return &engine.ExecState{ID: "victim", ContainerID: containerID, Running: true, Started: true, PID: pid, User: "u"}, nil
	}
}
