package podman

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

func TestUpdate(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{Resources: engine.Resources{Memory: 64 * engine.MiB}})
		u := engine.Update{Memory: new(96 * engine.MiB), MemorySwap: new(192 * engine.MiB), CPUShares: new(int64(700)), CPUs: new(0.25), PidsLimit: new(int64(44)), CpusetCPUs: new("0")}
		if _, err := e.ContainerUpdate(ctx, id, u); err != nil {
			t.Fatal(err)
		}
		got := execOut(t, e, id, "sh", "-c", "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.shares cpu/cpu.cfs_quota_us pids/pids.max cpuset/cpuset.cpus")
		if want := "100663296\n700\n25000\n44\n0"; got != want {
			t.Errorf("limits are %q, want %q", got, want)
		}
		_, err := e.ContainerUpdate(ctx, id, engine.Update{Memory: new(engine.Bytes(0))})
		wantUnsupported(t, err, "Update.Memory")
		_, err = e.ContainerUpdate(ctx, id, engine.Update{KernelMemory: new(engine.GiB)})
		wantUnsupported(t, err, "Update.KernelMemory")
		_, err = e.ContainerUpdate(ctx, "no-such-container", engine.Update{CPUShares: new(int64(2))})
		wantKind(t, "missing container", err, engine.ErrNotFound)

		_, err = e.ContainerUpdate(ctx, id, engine.Update{RestartPolicy: &engine.RestartPolicy{Name: "on-failure", MaximumRetryCount: 3}})
		if e.version < vUpdateRestart {
			wantUnsupported(t, err, "Update.RestartPolicy")
		} else if a, ierr := e.ContainerInspect(ctx, id, engine.InspectOptions{}); err != nil || ierr != nil || a.HostConfig.RestartPolicy != (engine.RestartPolicy{Name: "on-failure", MaximumRetryCount: 3}) {
			t.Errorf("restart policy: %v, %v, %+v", err, ierr, a.HostConfig.RestartPolicy)
		}

		health := func(h engine.Healthcheck) *engine.Healthcheck {
			t.Helper()
			_, err := e.ContainerUpdate(ctx, id, engine.Update{Healthcheck: &h})
			if e.version < vUpdateHealth {
				wantUnsupported(t, err, "Update.Healthcheck")
				return nil
			}
			if err != nil {
				t.Fatal(err)
			}
			a, err := e.ContainerInspect(ctx, id, engine.InspectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return a.Config.Healthcheck
		}
		for _, test := range [][]string{{"CMD", "true"}, {"CMD", "test", "-e", "a b"}, {"CMD-SHELL", "test -e /x && true"}} {
			if h := health(engine.Healthcheck{Test: test, Interval: 7 * time.Second}); h != nil && (!slices.Equal(h.Test, test) || h.Interval != 7*time.Second || h.Timeout != 30*time.Second || h.Retries != 3) {
				t.Errorf("health check of %q is %+v", test, h)
			}
		}
		if h := health(engine.Healthcheck{Retries: 9}); h != nil && (h.Retries != 9 || h.Interval != 7*time.Second || h.Test[0] != "CMD-SHELL") {
			t.Errorf("health check is %+v", h)
		}
		if h := health(engine.Healthcheck{Test: []string{"NONE"}}); h != nil && !slices.Equal(h.Test, []string{"NONE"}) {
			t.Errorf("health check is %+v", h)
		}

		_, err = e.ContainerUpdate(ctx, id, engine.Update{Env: map[string]string{"UPD": "1"}})
		if e.version < vUpdateEnv {
			wantUnsupported(t, err, "Update.Env")
		} else if a, ierr := e.ContainerInspect(ctx, id, engine.InspectOptions{}); e.version < vUpdateUlimits && (err != nil || ierr != nil || !slices.Contains(a.Config.Env, "UPD=1")) {
			t.Errorf("env: %v, %v", err, ierr)
		}

		stopped := made(t, e, engine.Spec{})
		if _, err := e.ContainerUpdate(ctx, stopped, engine.Update{CPUShares: new(int64(300))}); err != nil {
			t.Logf("update of a stopped container: %v", err)
			wantKind(t, "update of a stopped container", err, engine.ErrNotRunning)
		}
	})
}

func TestCommitDiffExport(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{})
		execOut(t, e, id, "touch", "/new-file")
		execOut(t, e, id, "rm", "/etc/shadow")
		changes, err := e.ContainerDiff(ctx, id)
		if err != nil || !slices.Contains(changes, engine.Change{Path: "/new-file", Kind: engine.ChangeAdded}) {
			t.Errorf("changes %v, %v", changes, err)
		}
		fresh, err := e.ContainerDiff(ctx, made(t, e, engine.Spec{}))
		if err != nil || fresh == nil {
			t.Errorf("changes of a new container: %#v, %v", fresh, err)
		}
		repo := "localhost/" + unique("img")
		img, err := e.ContainerCommit(ctx, id, engine.CommitOptions{Repository: repo, Tag: "v1", Message: "a message", Author: "me", Changes: []string{`CMD ["echo", "committed"]`, "ENV A=b"}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if _, err := e.ImageRemove(ctx, repo+":v1", engine.ImageRemoveOptions{}); err != nil {
				t.Error(err)
			}
		}()
		a, err := e.ImageInspect(ctx, repo+":v1")
		if err != nil || a.ID != img || a.Comment != "a message" || a.Author != "me" {
			t.Errorf("image is %+v, %v; id %s", a, err, img)
		}
		if out := run(t, e, engine.Spec{Image: img}, ""); out != "committed" {
			t.Errorf("the image prints %q", out)
		}
		_, err = e.ContainerCommit(ctx, "no-such-container", engine.CommitOptions{})
		wantKind(t, "commit of a missing one", err, engine.ErrNotFound)

		r, err := e.ContainerExport(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if !slices.Contains(tarNames(t, r), "new-file") {
			t.Error("the export has no new-file")
		}
	})
}

func TestInspectShapes(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		spec := engine.Spec{
			Entrypoint: []string{"sh", "-c"}, Command: []string{"sleep 100; true"}, StopSignal: "SIGINT", StopTimeout: new(3 * time.Second), Env: map[string]string{"A": "b"},
			Labels: map[string]string{"l": "v"}, Annotations: map[string]string{"an": "no"}, WorkingDir: "/tmp", User: "0:0", AutoRemove: true, TTY: true, OpenStdin: true,
			Resources:   engine.Resources{Memory: 64 * engine.MiB, CPUs: 0.5},
			SecurityOpt: []string{"seccomp=unconfined"},
			LogConfig:   engine.LogConfig{Driver: "json-file", Options: map[string]string{"max-size": "10m"}},
		}
		id := started(t, e, spec)
		a, err := e.ContainerInspect(t.Context(), id, engine.InspectOptions{Size: true})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a.Config.Entrypoint, spec.Entrypoint) || !slices.Equal(a.Config.Cmd, spec.Command) || a.Config.StopSignal != "SIGINT" || *a.Config.StopTimeout != 3*time.Second ||
			!slices.Contains(a.Config.Env, "A=b") || a.Config.Labels["l"] != "v" || a.Config.WorkingDir != "/tmp" || a.Config.User != "0:0" || !a.Config.TTY || !a.Config.OpenStdin {
			t.Errorf("config is %+v", a.Config)
		}
		if len(a.Config.Annotations) != 1 || a.Config.Annotations["an"] != "no" {
			t.Errorf("annotations are %v", a.Config.Annotations)
		}
		h := a.HostConfig
		if !h.AutoRemove || h.Resources.Memory != 64*engine.MiB || h.Resources.CPUs != 0.5 || h.RestartPolicy.Name != "no" || !slices.ContainsFunc(h.SecurityOpt, func(s string) bool { return s == "seccomp=unconfined" }) {
			t.Errorf("host config is %+v", h)
		}
		if a.SizeRootFs == nil || *a.SizeRootFs == 0 || a.State.PID == 0 || a.State.StartedAt.IsZero() || !a.State.FinishedAt.IsZero() || len(a.Raw) == 0 || a.At.IsZero() {
			t.Errorf("attrs are %+v", a)
		}
		if !strings.HasSuffix(a.Image, "busybox:latest") && a.Image != "busybox" {
			t.Errorf("image is %q", a.Image)
		}
	})
}

func TestOOMKilled(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		id := started(t, e, engine.Spec{Command: []string{"sh", "-c", "exec tail /dev/zero"}, Resources: engine.Resources{Memory: 16 * engine.MiB}})
		eventually(t, "killed", func() bool { return statusNow(t, e, id).Ended() })
		s := statusNow(t, e, id)
		if s.ExitCode != 137 {
			t.Skipf("the kernel did not kill it: exit code %d", s.ExitCode)
		}
		if s.OOMKilled != nil && !*s.OOMKilled {
			t.Error("an OOM kill is told as none")
		}
		if e.version >= vOOMKilled && s.OOMKilled == nil {
			t.Error("it is not told")
		}
	})
}
