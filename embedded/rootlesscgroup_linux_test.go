package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/testenv"
)

// TestRootlessCgroup: an ordinary user's containers have cgroups where he has been given a group of cgroup v2, and only there.
func TestRootlessCgroup(t *testing.T) {
	if name := os.Getenv(asUser); name != "" {
		e, err := Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r := &userRig{rootless: e.(*guard).e.(*rootless), t: t, single: true}
		defer func() { r.check(r.Close()) }()
		_, err = r.ImageImport(t.Context(), testenv.Busybox(t), engine.ImportOptions{Reference: image1, Changes: []string{"ENV PATH=/bin"}})
		r.check(err)
		if name == "delegated" && testenv.CgroupV2() {
			r.run("limits", (*userRig).limits)
			r.run("stats", (*userRig).stats)
		} else {
			r.run("no limits", (*userRig).noLimits)
		}
		return
	}
	if os.Getenv("BERTH_EMBEDDED") == "" {
		t.Skip("BERTH_EMBEDDED is not set: containers are started in .ci/run")
	}
	for _, delegated := range []bool{true, false} {
		name := map[bool]string{true: "delegated", false: "not delegated"}[delegated]
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			cmd := exec.Command("/proc/self/exe", "-test.run=^TestRootlessCgroup$", "-test.timeout=150s", "-test.v="+fmt.Sprint(testing.Verbose()))
			cmd.Env = []string{asUser + "=" + name}
			cmd.Stdout, cmd.Stderr = &out, &out
			err := testenv.Ordinary{Delegated: delegated}.Run(cmd)
			t.Logf("%s", &out)
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// limits: what is limited is, in the group's files.
func (r *userRig) limits() {
	ctx := r.t.Context()
	spec := engine.Spec{}
	spec.Resources = engine.Resources{Memory: 64 * engine.MiB, PidsLimit: new(int64(50)), CPUQuota: 50000, CPUPeriod: 100000, CPUShares: 512, CpusetCPUs: "0"}
	id := r.start(spec, "sh", "-c", "cd /sys/fs/cgroup; cat memory.max pids.max cpu.max cpuset.cpus.effective; cat /proc/self/cgroup; exec sleep 1000")
	await(r.t, func() bool { return strings.Contains(r.log(id), "0::") })
	if got, want := r.log(id), "67108864\n50\n50000 100000\n0\n0::/"; got != want {
		r.t.Errorf("inside: %q, want %q", got, want)
	}
	_, err := r.ContainerUpdate(ctx, id, engine.Update{Memory: new(32 * engine.MiB)})
	r.check(err)
	if got := r.inside(id, "cat /sys/fs/cgroup/memory.max"); got != "33554432" {
		r.t.Errorf("after the update: %s", got)
	}
	r.check(r.ContainerPause(ctx, id))
	if a, err := r.ContainerInspect(ctx, id, engine.InspectOptions{}); err != nil || a.State.Status != engine.StatusPaused {
		r.t.Errorf("%v, %v", a, err)
	}
	r.check(r.ContainerUnpause(ctx, id))
	top, err := r.ContainerTop(ctx, id, engine.TopOptions{})
	if err != nil || len(top.Rows) != 1 {
		r.t.Errorf("%+v, %v", top, err)
	}
	// The host's cgroups are seen, and not changed, where the container has no cgroup namespace of its own.
	seen := r.output(engine.Spec{CgroupNS: "host", CgroupParent: "parent"}, "sed 's/^0:://' /proc/self/cgroup; cat /sys/fs/cgroup$(sed 's/^0:://' /proc/self/cgroup)/cgroup.procs; mkdir /sys/fs/cgroup/new 2>/dev/null || echo refused")
	if f := strings.Fields(seen); len(f) < 3 || !strings.Contains(f[0], "/parent/") || !slices.Contains(f, "1") || f[len(f)-1] != "refused" {
		r.t.Errorf("the host's cgroups inside: %q", seen)
	}
	oom := engine.Spec{}
	oom.Resources.Memory, oom.Resources.MemorySwap = 16*engine.MiB, 16*engine.MiB
	dead := r.start(oom, "sh", "-c", "x=a; while :; do x=$x$x; done")
	await(r.t, func() bool {
		a, err := r.ContainerInspect(ctx, dead, engine.InspectOptions{})
		r.check(err)
		return a.State.Status == engine.StatusExited
	})
	if a, err := r.ContainerInspect(ctx, dead, engine.InspectOptions{}); err != nil || a.State.OOMKilled == nil || !*a.State.OOMKilled || a.State.ExitCode != 137 {
		r.t.Errorf("%+v, %v", a.State, err)
	}
}

// inside is what a command in a container writes.
func (r *userRig) inside(id, script string) string {
	r.t.Helper()
	x, err := r.ExecCreate(r.t.Context(), id, engine.ExecSpec{Cmd: []string{"sh", "-c", script}, AttachStdout: true})
	r.check(err)
	s, err := r.ExecStart(r.t.Context(), x, engine.ExecStartOptions{})
	r.check(err)
	var b bytes.Buffer
	_, err = b.ReadFrom(s)
	r.check(errors.Join(err, s.Close()))
	return strings.TrimSpace(text(b.Bytes()))
}

// stats: a container's counters.
func (r *userRig) stats() {
	id := r.start(engine.Spec{}, "sleep", "1000")
	n := 0
	for s, err := range r.ContainerStats(r.t.Context(), []string{id}, engine.StatsOptions{OneShot: true}) {
		r.check(err)
		if s.Memory.Usage == 0 || s.Pids.Current != 1 {
			r.t.Errorf("%+v", s)
		}
		n++
	}
	if n != 1 {
		r.t.Errorf("%d samples", n)
	}
}

// noLimits: without a group of his own a user's containers run, but not limited, and the refusals say what is missing.
func (r *userRig) noLimits() {
	ctx := r.t.Context()
	id := r.start(engine.Spec{}, "sleep", "1000")
	for what, err := range map[string]error{
		"pause": r.ContainerPause(ctx, id),
		"stats": func() error {
			for _, err := range r.ContainerStats(ctx, []string{id}, engine.StatsOptions{OneShot: true}) {
				return err
			}
			return nil
		}(),
		"update": func() error {
			_, err := r.ContainerUpdate(ctx, id, engine.Update{PidsLimit: new(int64(50))})
			return err
		}(),
		"create": func() error {
			spec := engine.Spec{Image: image1, NetworkMode: "none", Command: []string{"true"}}
			spec.Resources.PidsLimit = new(int64(50))
			res, err := r.ContainerCreate(ctx, &spec, engine.CreateOptions{})
			if err == nil {
				r.t.Error("a container with a limit is made that cannot be started")
				defer r.remove(res.ID)
				err = r.ContainerStart(ctx, res.ID, engine.StartOptions{})
			}
			return err
		}(),
	} {
		if !errors.Is(err, engine.ErrUnsupported) || !strings.Contains(err.Error(), "cgroup v2") || !strings.Contains(err.Error(), "delegated") {
			r.t.Errorf("%s: %v", what, err)
		}
	}
	if top, err := r.ContainerTop(ctx, id, engine.TopOptions{}); err != nil || len(top.Rows) != 1 {
		r.t.Errorf("%+v, %v", top, err)
	}
}
