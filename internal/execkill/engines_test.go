package execkill_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/engine/docker"
	"github.com/berthdev/berth/engine/podman"
	"github.com/berthdev/berth/internal/execkill"
	"github.com/berthdev/berth/internal/wire"
)

// openers open an engine by the beginning of its name in BERTH_ENGINES ("docker28=/run/x.sock …").
var openers = map[string]func(ctx context.Context, path string, local bool) (engine.Engine, error){
	"docker": func(ctx context.Context, path string, local bool) (engine.Engine, error) {
		return docker.Open(ctx, docker.Config{Wire: wire.Config{Dial: wire.DialUnix(path)}, Host: "unix://" + path, Local: local})
	},
	"podman": func(ctx context.Context, path string, local bool) (engine.Engine, error) {
		return podman.Open(ctx, podman.Config{Wire: wire.Config{Dial: wire.DialUnix(path)}, Host: "unix://" + path, Local: local})
	},
}

// onEngines runs a test on every real engine, once as one whose process IDs are ours, and once as a remote one. Each
// has a container that sleeps.
func onEngines(t *testing.T, test func(t *testing.T, e engine.Engine, container string)) {
	t.Helper()
	found := 0
	for word := range strings.FieldsSeq(os.Getenv("BERTH_ENGINES")) {
		name, path, _ := strings.Cut(word, "=")
		open := openers[strings.TrimRight(name, "0123456789")]
		if open == nil {
			continue
		}
		found++
		for _, local := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/local=%v", name, local), func(t *testing.T) {
				e, err := open(t.Context(), strings.TrimPrefix(path, "unix://"), local)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { e.Close() })
				test(t, e, sleeping(t, e))
			})
		}
	}
	if found == 0 {
		t.Skip("BERTH_ENGINES names no engine")
	}
}

// sleeping is a container that is removed with the test.
func sleeping(t *testing.T, e engine.Engine) string {
	t.Helper()
	spec := &engine.Spec{Name: fmt.Sprintf("execkill-%08x", rand.Uint32()), Image: "busybox", Command: []string{"sleep", "1000"}}
	res, err := e.ContainerCreate(t.Context(), spec, engine.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := e.ContainerRemove(context.WithoutCancel(t.Context()), res.ID, engine.RemoveOptions{Force: true, Volumes: true})
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			t.Error(err)
		}
	})
	if err := e.ContainerStart(t.Context(), res.ID, engine.StartOptions{}); err != nil {
		t.Fatal(err)
	}
	return res.ID
}

// running starts a command and waits until the engine tells its process ID.
func running(t *testing.T, e engine.Engine, container string, spec engine.ExecSpec) *engine.ExecState {
	t.Helper()
	id, err := e.ExecCreate(t.Context(), container, spec)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.ExecStart(t.Context(), id, engine.ExecStartOptions{Detach: true}); err != nil {
		t.Fatal(err)
	}
	return until(t, e, id, func(st *engine.ExecState) bool { return st.Running && st.PID > 0 })
}

// until polls an exec.
func until(t *testing.T, e engine.Engine, id string, cond func(*engine.ExecState) bool) *engine.ExecState {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		st, err := e.ExecInspect(ctx, id)
		if errors.Is(err, engine.ErrNotFound) {
			st, err = &engine.ExecState{}, nil
		}
		if err != nil {
			t.Fatal(err)
		}
		if cond(st) {
			return st
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func over(st *engine.ExecState) bool { return !st.Running }

// canKill tells that the engine needs no marker.
func canKill(e engine.Engine) bool { return e.Identity().Local || e.Identity().Name == "podman" }

func TestKillOnEngines(t *testing.T) {
	onEngines(t, func(t *testing.T, e engine.Engine, container string) {
		st := running(t, e, container, engine.ExecSpec{Cmd: []string{"sleep", "1000"}})
		err := execkill.Kill(t.Context(), e, st, "", "")
		if !canKill(e) {
			if alive, ok := errors.AsType[*engine.ExecAliveError](err); !ok || alive.PID != st.PID {
				t.Errorf("error is %v, want an ExecAliveError", err)
			}
			if st := until(t, e, st.ID, func(*engine.ExecState) bool { return true }); !st.Running {
				t.Error("it was killed, and said to be alive")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if end := until(t, e, st.ID, over); end.ExitCode != nil && *end.ExitCode != 137 {
			t.Errorf("exit code %d", *end.ExitCode)
		}
	})
}

func TestKillSignalOnEngines(t *testing.T) {
	onEngines(t, func(t *testing.T, e engine.Engine, container string) {
		if !canKill(e) {
			return // TestKillMarkerOnEngines is for it
		}
		st := running(t, e, container, engine.ExecSpec{Cmd: []string{"sh", "-c", "trap 'exit 42' USR1; mkdir /ready; while :; do sleep 0.1; done"}})
		until(t, e, st.ID, func(*engine.ExecState) bool {
			ready, err := e.ContainerStatPath(t.Context(), container, "/ready")
			return err == nil && ready.Mode.IsDir()
		})
		if err := execkill.Kill(t.Context(), e, st, "usr1", ""); err != nil {
			t.Fatal(err)
		}
		if end := until(t, e, st.ID, over); end.ExitCode != nil && *end.ExitCode != 42 {
			t.Errorf("exit code %d: the trap was not reached", *end.ExitCode)
		}
	})
}

func TestKillMarkerOnEngines(t *testing.T) {
	onEngines(t, func(t *testing.T, e engine.Engine, container string) {
		for _, user := range []string{"", "1234:5678"} {
			marked := func(value string) *engine.ExecState {
				return running(t, e, container, engine.ExecSpec{Cmd: []string{"sleep", "1000"}, User: user, Env: map[string]string{"BERTH_EXEC": value}})
			}
			value := fmt.Sprintf("%016x", rand.Uint64())
			bystander, st := marked("x"+value), marked(value)
			if st.User == "" {
				st.User = user
			}
			if err := execkill.Kill(t.Context(), e, st, "TERM", "BERTH_EXEC="+value); err != nil {
				t.Fatal(err)
			}
			if end := until(t, e, st.ID, over); end.ExitCode != nil && *end.ExitCode != 143 {
				t.Errorf("exit code %d", *end.ExitCode)
			}
			if now := until(t, e, bystander.ID, func(*engine.ExecState) bool { return true }); !now.Running {
				t.Error("a bystander was killed, too")
			}
		}
	})
}

// The end of the container is the end of its processes, however late the engine notices.
func TestKillAfterTheContainerOnEngines(t *testing.T) {
	onEngines(t, func(t *testing.T, e engine.Engine, container string) {
		st := running(t, e, container, engine.ExecSpec{Cmd: []string{"sleep", "1000"}})
		if err := e.ContainerKill(t.Context(), container, ""); err != nil {
			t.Fatal(err)
		}
		w, err := e.ContainerWait(t.Context(), container, engine.WaitNotRunning)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if _, err := w.Wait(); err != nil {
			t.Fatal(err)
		}
		if err := execkill.Kill(t.Context(), e, st, "", ""); err != nil {
			t.Error(err)
		}
	})
}
