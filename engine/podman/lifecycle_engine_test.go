package podman

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

func statusNow(t *testing.T, e *Engine, id string) engine.State {
	t.Helper()
	a, err := e.ContainerInspect(t.Context(), id, engine.InspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return a.State
}

func TestLifecycle(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		name := unique("life")
		id := made(t, e, engine.Spec{Name: name, Command: []string{"sleep", "1000"}, StopTimeout: new(time.Duration(0))})
		check := func(what string, err error, want engine.Status) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if s := statusNow(t, e, id); s.Status != want {
				t.Fatalf("after %s it is %s (%s), want %s", what, s.Status, s.Raw, want)
			}
		}
		check("create", nil, engine.StatusCreated)
		for what, err := range map[string]error{
			"kill": e.ContainerKill(ctx, id, ""), "pause": e.ContainerPause(ctx, id), "resize": e.ContainerResize(ctx, id, engine.Size{Rows: 10, Cols: 10}),
		} {
			wantKind(t, what+" of a created one", err, engine.ErrNotRunning)
		}
		_, err := e.ExecCreate(ctx, id, engine.ExecSpec{Cmd: []string{"true"}})
		wantKind(t, "exec in a created one", err, engine.ErrNotRunning)
		_, err = e.ContainerTop(ctx, id, engine.TopOptions{})
		wantKind(t, "top of a created one", err, engine.ErrNotRunning)
		check("init", e.ContainerInit(ctx, id), engine.StatusInitialized)
		check("start", e.ContainerStart(ctx, id, engine.StartOptions{}), engine.StatusRunning)
		check("start again", e.ContainerStart(ctx, id, engine.StartOptions{}), engine.StatusRunning)
		wantKind(t, "remove of a running one", e.ContainerRemove(ctx, id, engine.RemoveOptions{}), engine.ErrConflict)
		wantKind(t, "unpause of a running one", e.ContainerUnpause(ctx, id), engine.ErrConflict)
		check("pause", e.ContainerPause(ctx, id), engine.StatusPaused)
		_, err = e.ContainerTop(ctx, id, engine.TopOptions{})
		wantKind(t, "top of a paused one", err, engine.ErrConflict)
		_, err = e.ContainerAttach(ctx, id, engine.AttachOptions{})
		wantKind(t, "attach to a paused one", err, engine.ErrConflict)
		check("unpause", e.ContainerUnpause(ctx, id), engine.StatusRunning)
		check("pause", e.ContainerPause(ctx, id), engine.StatusPaused)
		check("stop of a paused one", e.ContainerStop(ctx, id, engine.StopOptions{}), engine.StatusExited)
		check("stop again", e.ContainerStop(ctx, id, engine.StopOptions{}), engine.StatusExited)
		if s := statusNow(t, e, id); s.ExitCode != 137 {
			t.Errorf("exit code is %d", s.ExitCode)
		}
		check("restart", e.ContainerRestart(ctx, id, engine.StopOptions{}), engine.StatusRunning)
		wantKind(t, "signal", e.ContainerKill(ctx, id, "NOSUCH"), engine.ErrInvalid)
		check("kill", e.ContainerKill(ctx, id, "kill"), engine.StatusExited)

		if err := e.ContainerRename(ctx, id, name); err != nil {
			t.Errorf("rename to its own name: %v", err)
		}
		other := unique("other")
		made(t, e, engine.Spec{Name: other})
		wantKind(t, "rename to a taken name", e.ContainerRename(ctx, id, other), engine.ErrConflict)
		wantKind(t, "rename to a bad name", e.ContainerRename(ctx, id, "a b"), engine.ErrInvalid)
		renamed := unique("renamed")
		if err := e.ContainerRename(ctx, id, renamed); err != nil {
			t.Error(err)
		}
		if ok, err := e.ContainerExists(ctx, "/"+renamed); err != nil || !ok {
			t.Errorf("exists: %v, %v", ok, err)
		}
		if err := e.ContainerRemove(ctx, renamed, engine.RemoveOptions{}); err != nil {
			t.Error(err)
		}
		if ok, err := e.ContainerExists(ctx, id); err != nil || ok {
			t.Errorf("exists after remove: %v, %v", ok, err)
		}
		for what, err := range map[string]error{
			"remove": e.ContainerRemove(ctx, id, engine.RemoveOptions{Force: true}), "start": e.ContainerStart(ctx, id, engine.StartOptions{}), "stop": e.ContainerStop(ctx, id, engine.StopOptions{}),
			"restart": e.ContainerRestart(ctx, id, engine.StopOptions{}), "kill": e.ContainerKill(ctx, id, ""), "rename": e.ContainerRename(ctx, id, "x"), "pause": e.ContainerPause(ctx, id),
		} {
			wantKind(t, what+" of a missing one", err, engine.ErrNotFound)
		}
		_, err = e.ContainerDiff(ctx, id)
		wantKind(t, "diff of a missing one", err, engine.ErrNotFound)
		_, err = e.ContainerInspect(ctx, id, engine.InspectOptions{})
		wantKind(t, "inspect of a missing one", err, engine.ErrNotFound)
	})
}

// TestRestartHonoursStopTimeout: without a timeout Podman restarts with a SIGKILL.
func TestRestartHonoursStopTimeout(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		id := started(t, e, engine.Spec{
			Command:     []string{"sh", "-c", "trap 'echo term; exit 7' TERM; echo ready; while :; do sleep 0.1; done"},
			StopTimeout: new(20 * time.Second),
		})
		eventually(t, "ready", func() bool { return strings.Contains(logs(t, e, id), "ready") })
		if err := e.ContainerRestart(t.Context(), id, engine.StopOptions{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(logs(t, e, id), "term") {
			t.Error("it was killed without a signal before")
		}
		eventually(t, "ready again", func() bool { return strings.Count(logs(t, e, id), "ready") == 2 })
		if err := e.ContainerStop(t.Context(), id, engine.StopOptions{Timeout: new(20 * time.Second)}); err != nil {
			t.Fatal(err)
		}
		if s := statusNow(t, e, id); s.ExitCode != 7 {
			t.Errorf("exit code of the stop is %d", s.ExitCode)
		}
	})
}

func logs(t *testing.T, e *Engine, id string) string {
	t.Helper()
	r, err := e.ContainerLogs(t.Context(), id, engine.LogOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b strings.Builder
	buf := make([]byte, 1<<12)
	out := unframe(r)
	for {
		n, err := out.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}

// TestRemoveForcedKillsAtOnce although the container would take its time to stop.
func TestRemoveForcedKillsAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		id := started(t, e, engine.Spec{Command: []string{"sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"}, StopTimeout: new(time.Hour)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // far below the hour that it would be
		defer cancel()
		if err := e.ContainerRemove(ctx, id, engine.RemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	})
}

func TestRemoveVolumes(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		for _, with := range []bool{true, false} {
			id := made(t, e, engine.Spec{Mounts: []engine.Mount{engine.Volume("", "/v")}})
			a, err := e.ContainerInspect(ctx, id, engine.InspectOptions{})
			if err != nil || len(a.Mounts) != 1 {
				t.Fatal(a, err)
			}
			if err := e.ContainerRemove(ctx, id, engine.RemoveOptions{Volumes: with}); err != nil {
				t.Fatal(err)
			}
			v, err := e.VolumeInspect(ctx, a.Mounts[0].Name)
			if with {
				wantKind(t, "volume of the removed", err, engine.ErrNotFound)
				continue
			}
			if err != nil || !v.Anonymous {
				t.Errorf("volume is %+v, %v", v, err)
			}
			if err := e.VolumeRemove(ctx, a.Mounts[0].Name, false); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestStartAgainOnLeakedPort: the ports of a container whose start failed stay bound in the service for a while.
func TestStartAgainOnLeakedPort(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		ports := []engine.Port{{Container: "80", Host: "28765"}}
		bad := made(t, e, engine.Spec{Ports: ports, Command: []string{"/no/such"}})
		wantKind(t, "start", e.ContainerStart(ctx, bad, engine.StartOptions{}), engine.ErrCommandNotFound)
		good := made(t, e, engine.Spec{Ports: ports, Command: []string{"sleep", "100"}})
		if err := e.ContainerStart(ctx, good, engine.StartOptions{}); err != nil {
			t.Error(err)
		}
	})
}

func TestListAndPrune(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		label := unique("label")
		spec := engine.Spec{Labels: map[string]string{label: "1"}}
		var ids []string
		for range 3 {
			ids = append(ids, made(t, e, spec))
		}
		mine := engine.Filters{"label": {label + "=1"}}
		names := func(opts engine.ListOptions) []string {
			t.Helper()
			list, err := e.ContainerList(ctx, opts)
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, s := range list {
				if i := slices.Index(ids, s.ID); i >= 0 {
					out = append(out, string(rune('a'+i)))
				}
			}
			slices.Sort(out)
			return out
		}
		for _, tt := range []struct {
			what string
			opts engine.ListOptions
			want string
		}{
			{"running", engine.ListOptions{Filters: mine}, ""},
			{"all", engine.ListOptions{All: true, Filters: mine}, "abc"},
			{"limit, which implies all", engine.ListOptions{Limit: 2, Filters: mine}, "bc"},
			{"since", engine.ListOptions{All: true, Since: ids[0], Filters: mine}, "bc"},
			{"before", engine.ListOptions{All: true, Before: ids[2], Filters: mine}, "ab"},
			{"status", engine.ListOptions{Filters: engine.Filters{"label": {label}, "status": {"created", "dead"}}}, "abc"},
			{"status of other engines", engine.ListOptions{Filters: engine.Filters{"label": {label}, "status": {"dead"}}}, ""},
			{"id", engine.ListOptions{All: true, Filters: engine.Filters{"id": {ids[1][:12]}}}, "b"},
		} {
			if got := strings.Join(names(tt.opts), ""); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.what, got, tt.want)
			}
		}
		list, err := e.ContainerList(ctx, engine.ListOptions{All: true, Size: true, Filters: engine.Filters{"id": {ids[0]}}})
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		s := list[0]
		if s.Status != engine.StatusCreated || s.StatusText != "Created" || s.Labels[label] != "1" || s.SizeRootFs == nil || *s.SizeRootFs == 0 || s.Command == "" || !strings.HasPrefix(s.ImageID, "sha256:") ||
			time.Since(s.Created).Abs() > time.Hour || s.ExitCode != nil || s.Health != engine.HealthNone {
			t.Errorf("summary is %+v", s)
		}
		_, err = e.ContainerList(ctx, engine.ListOptions{Filters: engine.Filters{"no-such-filter": {"x"}}})
		wantKind(t, "filter", err, engine.ErrInvalid)

		report, err := e.ContainerPrune(ctx, mine)
		slices.Sort(report.Deleted)
		slices.Sort(ids)
		if err != nil || !slices.Equal(report.Deleted, ids) {
			t.Errorf("prune: %+v, %v", report, err)
		}
	})
}

func TestCreateCancelled(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		for _, after := range []time.Duration{0, 5 * time.Millisecond, 40 * time.Millisecond, 100 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			name := unique("cancelled")
			res, err := e.ContainerCreate(ctx, &engine.Spec{Image: "busybox", Name: name}, engine.CreateOptions{})
			cancel()
			if err == nil {
				removeForced(t, e, res.ID)
				continue
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error is %v", err)
			}
			if found, err := e.ContainerExists(t.Context(), name); err != nil || found {
				t.Errorf("container left behind: %v, %v", found, err)
			}
		}
	})
}

func TestPod(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		name := unique("pod")
		resp, err := e.Do(ctx, "POST", "/libpod/pods/create", strings.NewReader(`{"name":"`+name+`","no_infra":true}`), jsonHeader())
		if err != nil || resp.StatusCode != 201 {
			t.Fatal(resp, err)
		}
		resp.Body.Close()
		t.Cleanup(func() {
			if resp, err := e.Do(context.WithoutCancel(ctx), "DELETE", "/pods/"+name+"?force=true", nil, nil); err == nil {
				resp.Body.Close()
			}
		})
		a, err := e.ContainerInspect(ctx, made(t, e, engine.Spec{Image: "busybox", Podman: &engine.PodmanSpec{Pod: name}}), engine.InspectOptions{})
		if err != nil || len(a.Pod) != 64 {
			t.Errorf("pod %q, %v", a.Pod, err)
		}
	})
}
