package execkill

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/berthdev/berth/engine"
)

// kill kills the victim of f.
func kill(t *testing.T, f *fakeEngine, signal, marker string) error {
	t.Helper()
	st, err := f.state()
	if err != nil {
		t.Fatal(err)
	}
	return Kill(t.Context(), f, st, signal, marker)
}

// wantAlive checks that err is an ExecAliveError that says all of words.
func wantAlive(t *testing.T, err error, words ...string) {
	t.Helper()
	e, ok := errors.AsType[*engine.ExecAliveError](err)
	if !ok || e.ExecID != "victim" || e.Container != containerID {
		t.Fatalf("error is %v, want an ExecAliveError of the exec", err)
	}
	for _, w := range words {
		if e.Err == nil || !strings.Contains(e.Err.Error(), w) {
			t.Errorf("error is %q, want %q in it", e.Err, w)
		}
	}
}

func TestNothingToKill(t *testing.T) {
	f := &fakeEngine{state: func() (*engine.ExecState, error) {
		return &engine.ExecState{ID: "victim", Started: true, ExitCode: new(0)}, nil
	}}
	if err := kill(t, f, "", ""); err != nil {
		t.Error(err)
	}
}

// later is an exec that the engine shows as states, one after another; the last for ever.
func later(states ...engine.ExecState) func() (*engine.ExecState, error) {
	n := -1
	return func() (*engine.ExecState, error) {
		n = min(n+1, len(states)-1)
		st := states[n]
		st.ID, st.ContainerID = "victim", containerID
		return &st, nil
	}
}

// An engine answers a start before it has started the process.
func TestNotStartedYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeEngine{state: later(engine.ExecState{})}
		wantAlive(t, kill(t, f, "", ""), "not started")

		f = &fakeEngine{state: later(engine.ExecState{}, engine.ExecState{}, engine.ExecState{Running: true, Started: true}, engine.ExecState{Started: true})}
		if err := kill(t, f, "", ""); err != nil {
			t.Errorf("it ended by itself: %v", err)
		}

		f = &fakeEngine{identity: podman, top: column([]string{"7", "500"})}
		f.state = later(engine.ExecState{}, engine.ExecState{Running: true, Started: true}, engine.ExecState{Running: true, Started: true, PID: 500})
		f.run = func(engine.ExecSpec) (string, int, error) { return sent, 0, nil }
		if err := kill(t, f, "", ""); err != nil || len(f.ran) != 1 {
			t.Errorf("it started late: %v", err)
		}
		f.state = func() (*engine.ExecState, error) { return nil, engine.ErrNotFound }
		if err := Kill(t.Context(), f, &engine.ExecState{ID: "victim"}, "", ""); err != nil {
			t.Errorf("it is gone: %v", err)
		}
		f.state = func() (*engine.ExecState, error) { return nil, engine.ErrUnavailable }
		err := Kill(t.Context(), f, &engine.ExecState{ID: "victim", ContainerID: containerID}, "", "")
		wantAlive(t, err, "engine unavailable")

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		f.state = later(engine.ExecState{})
		err = Kill(ctx, f, &engine.ExecState{ID: "victim", ContainerID: containerID}, "", "")
		wantAlive(t, err, "context canceled")
	})
}

func TestMalformedSignal(t *testing.T) {
	err := kill(t, &fakeEngine{state: always(5)}, "SIGNOPE", "")
	if !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("error is %v, want ErrInvalid", err)
	}
}

func TestRemoteWithoutAnyWay(t *testing.T) {
	f := &fakeEngine{identity: engine.Identity{Name: "docker"}, state: always(5)}
	err := kill(t, f, "", "")
	wantAlive(t, err, "are not ours", "does not tell process IDs", "KillOnCancel")
	if e, _ := errors.AsType[*engine.ExecAliveError](err); e.PID != 5 || e.Cause != nil {
		t.Errorf("%+v", e)
	}
}

func TestEndedMeanwhile(t *testing.T) {
	for name, state := range map[string]func() (*engine.ExecState, error){
		"exec is over": func() (*engine.ExecState, error) { return &engine.ExecState{ID: "victim", Started: true}, nil },
		"exec is gone": func() (*engine.ExecState, error) { return nil, engine.ErrNotFound },
	} {
		f := &fakeEngine{state: state}
		st, _ := always(5)()
		if err := Kill(t.Context(), f, st, "", ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := &fakeEngine{state: always(5), ended: true}
	if err := kill(t, f, "", ""); err != nil {
		t.Errorf("container is over: %v", err)
	}
	f = &fakeEngine{state: func() (*engine.ExecState, error) { return nil, engine.ErrUnavailable }}
	st, _ := always(5)()
	wantAlive(t, Kill(t.Context(), f, st, "", ""))
}

func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &fakeEngine{state: always(5)}
	f.run = func(engine.ExecSpec) (string, int, error) { cancel(); return "", 0, ctx.Err() }
	st, _ := f.state()
	err := Kill(ctx, f, st, "", "X=1")
	wantAlive(t, err)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want that of ctx", err)
	}
}
