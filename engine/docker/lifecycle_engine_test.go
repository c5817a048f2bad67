package docker

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

func TestLifecycle(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		name := unique("life")
		id := made(t, e, engine.Spec{Name: name, Command: []string{"sleep", "1000"}, Labels: map[string]string{"k": name}, StopTimeout: new(time.Second), Expose: []string{"81"}, Ports: []engine.Port{{Container: "80"}}})
		a, err := e.ContainerInspect(ctx, "/"+name, engine.InspectOptions{Size: true})
		if err != nil {
			t.Fatal(err)
		}
		if a.ID != id || a.Name != name || a.State.Status != engine.StatusCreated || a.Image != "busybox" || a.SizeRootFs == nil || a.At.IsZero() || len(a.Raw) == 0 || a.Config.StopTimeout == nil || *a.Config.StopTimeout != time.Second {
			t.Errorf("attrs %+v", a)
		}
		if err := e.ContainerKill(ctx, id, ""); !errors.Is(err, engine.ErrNotRunning) {
			t.Errorf("kill before start: %v", err)
		}
		for range 2 {
			if err := e.ContainerStart(ctx, id, engine.StartOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.ContainerRename(ctx, id, name); err != nil {
			t.Errorf("rename to its own name: %v", err)
		}
		if err := e.ContainerRename(ctx, id, name+"2"); err != nil {
			t.Error(err)
		}
		if _, err := e.ContainerCreate(ctx, &engine.Spec{Image: "busybox", Name: name + "2"}, engine.CreateOptions{}); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("name taken: %v", err)
		}
		if a, err = e.ContainerInspect(ctx, id, engine.InspectOptions{}); err != nil {
			t.Fatal(err)
		}
		if a.State.Status != engine.StatusRunning || a.State.PID == 0 || a.State.StartedAt.IsZero() || a.State.OOMKilled == nil || *a.State.OOMKilled || a.SizeRw != nil {
			t.Errorf("state %+v", a.State)
		}
		if n := a.Networks["bridge"]; !n.IPv4.IsValid() || !n.Gateway.IsValid() || n.MACAddress == "" {
			t.Errorf("network %+v", n)
		}
		if len(a.Ports) < 2 || a.Ports[0].Container != "80/tcp" || a.Ports[0].HostPort == 0 || a.Ports[len(a.Ports)-1].Container != "81/tcp" || a.Ports[len(a.Ports)-1].HostPort != 0 {
			t.Errorf("ports %+v", a.Ports)
		}
		list, err := e.ContainerList(ctx, engine.ListOptions{Filters: engine.Filters{"label": {"k=" + name}}, Size: true})
		if err != nil || len(list) != 1 || list[0].ID != id || list[0].Names[0] != name+"2" || list[0].Status != engine.StatusRunning || list[0].SizeRootFs == nil || list[0].SizeRw == nil || len(list[0].Networks) != 1 || list[0].Ports[0].Container != "80/tcp" {
			t.Errorf("list %+v, %v", list, err)
		}
		if err := e.ContainerPause(ctx, id); err != nil {
			t.Error(err)
		}
		if err := e.ContainerPause(ctx, id); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("pause twice: %v", err)
		}
		if a, err = e.ContainerInspect(ctx, id, engine.InspectOptions{}); err != nil || a.State.Status != engine.StatusPaused || !a.State.Running() {
			t.Errorf("paused: %+v, %v", a, err)
		}
		if err := e.ContainerUnpause(ctx, id); err != nil {
			t.Error(err)
		}
		if err := e.ContainerUnpause(ctx, id); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("unpause twice: %v", err)
		}
		if err := e.ContainerRemove(ctx, id, engine.RemoveOptions{}); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("remove while running: %v", err)
		}
		// sleep as PID 1 ignores SIGTERM: the container's own StopTimeout counts.
		begin := time.Now()
		if err := e.ContainerRestart(ctx, id, engine.StopOptions{}); err != nil {
			t.Error(err)
		}
		if d := time.Since(begin); d > 8*time.Second {
			t.Errorf("restart took %v with a StopTimeout of 1s", d)
		}
		for range 2 {
			if err := e.ContainerStop(ctx, id, engine.StopOptions{Timeout: new(time.Duration(0))}); err != nil {
				t.Error(err)
			}
		}
		if a, err = e.ContainerInspect(ctx, id, engine.InspectOptions{}); err != nil || a.State.Status != engine.StatusExited || a.State.ExitCode != 137 || !a.State.Ended() || a.State.FinishedAt.IsZero() {
			t.Errorf("stopped: %+v, %v", a, err)
		}
		if err := e.ContainerRemove(ctx, id, engine.RemoveOptions{}); err != nil {
			t.Error(err)
		}
		if there, err := e.ContainerExists(ctx, id); there || err != nil {
			t.Errorf("exists after removal: %v, %v", there, err)
		}
		if err := e.ContainerStart(ctx, id, engine.StartOptions{}); !errors.Is(err, engine.ErrNotFound) || errors.Is(err, engine.ErrImageNotFound) {
			t.Errorf("start after removal: %v", err)
		}
	})
}

func TestStopSignal(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		id := started(t, e, engine.Spec{Command: []string{"sh", "-c", "trap 'exit 9' USR1; trap 'exit 8' TERM; while :; do sleep 0.1; done"}})
		time.Sleep(300 * time.Millisecond) // until the traps are set
		err := e.ContainerStop(t.Context(), id, engine.StopOptions{Signal: "usr1"})
		if e.api < apiStopSignal {
			if u, ok := errors.AsType[*engine.UnsupportedError](err); !ok || u.Option != "StopOptions.Signal" {
				t.Errorf("got %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if a, err := e.ContainerInspect(t.Context(), id, engine.InspectOptions{}); err != nil || a.State.ExitCode != 9 {
			t.Errorf("state %+v, %v", a.State, err)
		}
	})
}

func TestKillSignals(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		for _, signal := range []string{"", "hup", "SIGRTMIN+3", "15"} {
			id := started(t, e, engine.Spec{Init: new(true)})
			w, err := e.ContainerWait(t.Context(), id, engine.WaitNotRunning)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.ContainerKill(t.Context(), id, signal); err != nil {
				t.Errorf("%q: %v", signal, err)
			}
			if exit, err := w.Wait(); err != nil || exit.Code < 128 {
				t.Errorf("%q: %+v, %v", signal, exit, err)
			}
			w.Close()
		}
		if err := e.ContainerKill(t.Context(), "x", "NOSUCH"); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCommandErrors(t *testing.T) {
	tests := []struct {
		command []string
		kind    error
	}{
		{[]string{"/no/such"}, engine.ErrCommandNotFound},
		{[]string{"nosuch"}, engine.ErrCommandNotFound},
		{[]string{"/etc/passwd"}, engine.ErrCommandNotExecutable},
		{[]string{"/etc"}, engine.ErrCommandNotExecutable},
	}
	onEngines(t, func(t *testing.T, e *Engine) {
		for _, tt := range tests {
			id := made(t, e, engine.Spec{Command: tt.command})
			err := e.ContainerStart(t.Context(), id, engine.StartOptions{})
			if !errors.Is(err, tt.kind) {
				t.Errorf("%q: got %v, want %v", tt.command, err, tt.kind)
			}
			if err != nil && !strings.Contains(err.Error(), id) {
				t.Errorf("%q: %v does not name the container", tt.command, err)
			}
		}
	})
}

func TestWait(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		t.Run("next exit before start", func(t *testing.T) {
			id := made(t, e, engine.Spec{Command: []string{"sh", "-c", "exit 7"}})
			w, err := e.ContainerWait(ctx, id, engine.WaitNextExit)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if err := e.ContainerStart(ctx, id, engine.StartOptions{}); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if exit, err := w.Wait(); err != nil || exit.Code != 7 {
					t.Errorf("got %+v, %v", exit, err)
				}
			}
		})
		t.Run("removed", func(t *testing.T) {
			id := made(t, e, engine.Spec{Command: []string{"sh", "-c", "exit 6"}, AutoRemove: true})
			w, err := e.ContainerWait(ctx, id, engine.WaitRemoved)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if err := e.ContainerStart(ctx, id, engine.StartOptions{}); err != nil {
				t.Fatal(err)
			}
			if exit, err := w.Wait(); err != nil || exit.Code != 6 {
				t.Errorf("got %+v, %v", exit, err)
			}
			if there, err := e.ContainerExists(ctx, id); there || err != nil {
				t.Errorf("exists: %v, %v", there, err)
			}
		})
		t.Run("cancelled", func(t *testing.T) {
			id := started(t, e, engine.Spec{})
			ctx, cancel := context.WithCancel(ctx)
			w, err := e.ContainerWait(ctx, id, engine.WaitNotRunning)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			cancel()
			if _, err := w.Wait(); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
		if _, err := e.ContainerWait(ctx, "x", engine.WaitHealthy); !errors.Is(err, engine.ErrUnsupported) {
			t.Errorf("got %v", err)
		}
		if _, err := e.ContainerWait(ctx, "no-such-container", engine.WaitNotRunning); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
}

// TestRemoveInProgress removes a container while the engine does so itself.
func TestRemoveInProgress(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		for range 5 {
			id := started(t, e, engine.Spec{AutoRemove: true})
			if err := e.ContainerKill(t.Context(), id, ""); err != nil {
				t.Fatal(err)
			}
			if err := e.ContainerRemove(t.Context(), id, engine.RemoveOptions{Force: true}); err != nil && !isNotFound(err) {
				t.Error(err)
			}
			if there, err := e.ContainerExists(t.Context(), id); there || err != nil {
				t.Errorf("still there: %v, %v", there, err)
			}
		}
	})
}

func TestHealth(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		id := started(t, e, engine.Spec{Healthcheck: &engine.Healthcheck{Test: engine.CmdShell("echo fine"), Interval: 200 * time.Millisecond}})
		for {
			a, err := e.ContainerInspect(t.Context(), id, engine.InspectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if a.State.Health == nil {
				t.Fatal("no health")
			}
			if a.State.Health.Status != engine.HealthHealthy {
				time.Sleep(100 * time.Millisecond)
				continue
			}
			if l := a.State.Health.Log; len(l) == 0 || l[0].Output != "fine\n" || !l[0].Healthy || l[0].End.Before(l[0].Start) {
				t.Errorf("log %+v", l)
			}
			break
		}
		list, err := e.ContainerList(t.Context(), engine.ListOptions{Filters: engine.Filters{"id": {id}}})
		if err != nil || len(list) != 1 || list[0].Health != engine.HealthHealthy {
			t.Errorf("list %+v, %v", list, err)
		}
		if _, err := e.ContainerHealthcheck(t.Context(), id); !errors.Is(err, engine.ErrUnsupported) {
			t.Errorf("got %v", err)
		}
	})
}

func TestListFilters(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		label := unique("list")
		var ids []string
		for range 3 {
			ids = append(ids, made(t, e, engine.Spec{Labels: map[string]string{"l": label}}))
		}
		mine := engine.Filters{"label": {"l=" + label}}
		list := func(opts engine.ListOptions) string {
			opts.Filters = mine
			got, err := e.ContainerList(t.Context(), opts)
			if err != nil {
				t.Error(err)
			}
			var names []string
			for _, s := range got {
				for i, id := range ids {
					if id == s.ID {
						names = append(names, string(rune('0'+i)))
					}
				}
			}
			return strings.Join(names, "")
		}
		for _, tt := range []struct {
			opts engine.ListOptions
			want string
		}{
			{engine.ListOptions{}, ""},
			{engine.ListOptions{All: true}, "210"},
			{engine.ListOptions{Limit: 2}, "21"},
			{engine.ListOptions{All: true, Since: ids[0]}, "21"},
			{engine.ListOptions{All: true, Before: ids[2]}, "10"},
			{engine.ListOptions{All: true, Since: ids[0], Before: ids[2]}, "1"},
		} {
			if got := list(tt.opts); got != tt.want {
				t.Errorf("%+v: got %q, want %q", tt.opts, got, tt.want)
			}
		}
		if len(mine) != 1 {
			t.Errorf("the caller's filters were written to: %v", mine)
		}
		report, err := e.ContainerPrune(t.Context(), mine)
		if err != nil || len(report.Deleted) != 3 {
			t.Errorf("prune %+v, %v", report, err)
		}
		if report, err = e.ContainerPrune(t.Context(), mine); err != nil || len(report.Deleted) != 0 {
			t.Errorf("prune %+v, %v", report, err)
		}
		if _, err := e.ContainerList(t.Context(), engine.ListOptions{Filters: engine.Filters{"nosuch": {"x"}}}); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("got %v", err)
		}
	})
}

func TestTop(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		id := started(t, e, engine.Spec{User: "2", Command: []string{"sleep", "999"}})
		top, err := e.ContainerTop(t.Context(), id, engine.TopOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(top.Titles, " "); got != "USER PID PPID %CPU ELAPSED TTY TIME COMMAND" {
			t.Errorf("titles %q", got)
		}
		if len(top.Processes) != 1 || top.Processes[0].Command != "sleep 999" || top.Processes[0].PID == 0 || len(top.Rows) != 1 {
			t.Errorf("processes %+v", top)
		}
		if _, err := os.Stat("/proc/self"); err == nil && e.local {
			a, err := e.ContainerInspect(t.Context(), id, engine.InspectOptions{})
			if err != nil || a.State.PID != top.Processes[0].PID {
				t.Errorf("pid %d, %+v, %v", top.Processes[0].PID, a, err)
			}
		}
		top, err = e.ContainerTop(t.Context(), id, engine.TopOptions{Args: []string{"-o", "pid,comm"}})
		if err != nil || len(top.Titles) != 2 || top.Processes != nil || top.Rows[0][1] != "sleep" {
			t.Errorf("%+v, %v", top, err)
		}
		if err := e.ContainerKill(t.Context(), id, ""); err != nil {
			t.Fatal(err)
		}
		w, err := e.ContainerWait(t.Context(), id, engine.WaitNotRunning)
		if err != nil {
			t.Fatal(err)
		}
		w.Wait()
		w.Close()
		if _, err := e.ContainerTop(t.Context(), id, engine.TopOptions{}); !errors.Is(err, engine.ErrNotRunning) {
			t.Errorf("got %v", err)
		}
	})
}
