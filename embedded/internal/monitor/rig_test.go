//go:build linux

package monitor

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/embedded/internal/testspec"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
)

// rig is a store with one image in it, and a client.
type rig struct {
	*Client
	t     testing.TB
	layer string // its diffID
}

// newRig makes one. Its containers are removed at the end of the test, and nothing of them may be left.
func newRig(t testing.TB) *rig {
	t.Helper()
	if os.Getenv("BERTH_EMBEDDED") == "" {
		t.Skip("BERTH_EMBEDDED is not set: containers are started in .ci/run, with busybox-static and runc installed")
	}
	dir := t.TempDir()
	s, err := state.Open(filepath.Join(dir, "root"), filepath.Join(dir, "run"))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Client: &Client{Store: s, stderr: os.Stderr}, t: t, layer: "sha256:" + strings.Repeat("1", 64)}
	r.makeLayer()
	t.Cleanup(r.close)
	return r
}

// makeLayer makes the image's one layer of the machine's busybox.
func (r *rig) makeLayer() {
	r.t.Helper()
	box, err := exec.LookPath("busybox")
	if err != nil {
		r.t.Fatal("these tests need a static busybox in PATH (Debian: busybox-static): ", err)
	}
	root := filepath.Join(r.Store.Root(), "layers", strings.Repeat("1", 64), "diff")
	for _, d := range []string{"bin", "proc", "dev", "sys", "etc", "tmp", "root"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			r.t.Fatal(err)
		}
	}
	data, err := os.ReadFile(box)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "bin/busybox"), data, 0o755); err != nil {
		r.t.Fatal(err)
	}
	for a := range strings.FieldsSeq("sh cat ls true false id sleep stty echo head wc dd seq kill ps test touch yes sync date readlink mkdir rm usleep") {
		if err := os.Symlink("busybox", filepath.Join(root, "bin", a)); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "etc/passwd"), []byte("root:x:0:0:root:/root:/bin/sh\n"), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// close removes all containers and looks for what they have left.
func (r *rig) close() {
	ctx := context.Background()
	ids, _ := r.Store.IDs()
	for _, id := range ids {
		r.remove(ctx, id)
	}
	r.mu.Lock()
	r.endSpares()
	r.mu.Unlock()
	r.eventually("the end of all monitors", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.reap()
		return len(r.children) == 0
	})
	runs, _ := os.ReadDir(r.Store.RunRoot())
	for _, d := range runs {
		if len(d.Name()) == 64 {
			r.t.Errorf("the run directory %s is left", d.Name())
		}
	}
	if left, _ := filepath.Glob("/sys/fs/cgroup/*/" + r.parent() + "/*/tasks"); len(left) > 0 {
		r.t.Errorf("cgroups are left: %v", left)
	}
	for _, g := range []string{"/sys/fs/cgroup/*/", "/sys/fs/cgroup/"} {
		parents, _ := filepath.Glob(g + r.parent())
		for _, p := range parents {
			os.Remove(p)
		}
	}
	if err := r.Close(); err != nil {
		r.t.Errorf("close: %v", err)
	}
}

// parent is the cgroup of the rig's containers.
func (r *rig) parent() string {
	return "berth-test-" + filepath.Base(filepath.Dir(filepath.Dir(r.Store.Root())))
}

func (r *rig) remove(ctx context.Context, id string) {
	r.t.Helper()
	unlock, err := r.Retire(ctx, id, true, nil)
	if err != nil {
		if snap, serr := r.Store.State(id); serr == nil {
			r.t.Errorf("retire: %v (%+v)", err, snap)
		}
		return
	}
	defer unlock()
	if err := r.Store.Remove(id); err != nil {
		r.t.Errorf("remove: %v", err)
	}
}

func (r *rig) eventually(what string, f func() bool) {
	r.t.Helper()
	for end := time.Now().Add(time.Minute); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("%s did not come true", what)
		}
	}
}

// create makes a container of a command, which change may change.
func (r *rig) create(change func(*state.Config, *specs.Spec), args ...string) string {
	r.t.Helper()
	id := state.NewID()
	cfg := &state.Config{
		ID: id, Name: "c-" + id[:12], Created: time.Now(), Image: "box", ImageID: r.layer, Layers: []string{r.layer},
		Path: args[0], Args: args[1:], StopSignal: 15, StopTimeout: 10 * time.Second,
		Netns: "none", Log: state.Log{Driver: "json-file", MaxFiles: 1}, Cgroup: r.parent() + "/" + id, Volatile: true,
		Spec: engine.Spec{Image: "box", Command: args},
	}
	oci := dockerSpec(filepath.Join(r.Store.Dir(id), "root"), args...)
	if change != nil {
		change(cfg, oci)
	}
	oci.Process.Terminal = cfg.Spec.TTY
	if err := r.Store.Create(cfg, oci, map[string]state.File{"hosts": {Mode: 0o644}}); err != nil {
		r.t.Fatal(err)
	}
	return id
}

// sh is create of a shell line.
func (r *rig) sh(line string, change func(*state.Config, *specs.Spec)) string {
	r.t.Helper()
	return r.create(change, "/bin/sh", "-c", line)
}

func (r *rig) start(id string) {
	r.t.Helper()
	if err := r.Start(r.t.Context(), id, engine.StartOptions{}); err != nil {
		r.t.Fatalf("start: %v", err)
	}
}

func (r *rig) waiter(id string, cond engine.WaitCondition) engine.Waiter {
	r.t.Helper()
	w, err := r.Wait(r.t.Context(), id, cond)
	if err != nil {
		r.t.Fatalf("wait %s: %v", cond, err)
	}
	r.t.Cleanup(func() { w.Close() })
	return w
}

// code is a waiter's exit code.
func (r *rig) code(w engine.Waiter) int {
	r.t.Helper()
	exit, err := w.Wait()
	if err != nil {
		r.t.Fatalf("wait: %v", err)
	}
	return exit.Code
}

func (r *rig) attach(id string, o engine.AttachOptions) engine.Stream {
	r.t.Helper()
	s, err := r.Attach(r.t.Context(), id, o)
	if err != nil {
		r.t.Fatalf("attach: %v", err)
	}
	r.t.Cleanup(func() { s.Close() })
	return s
}

// read reads a stream to its end.
func (r *rig) read(s engine.Stream) (stdout, stderr string) {
	r.t.Helper()
	var out, errw bytes.Buffer
	var err error
	if s.Multiplexed() {
		_, err = frame.Copy(&out, &errw, s)
	} else {
		_, err = io.Copy(&out, s)
	}
	if err != nil {
		r.t.Fatalf("read: %v (after %d and %d bytes)", err, out.Len(), errw.Len())
	}
	return out.String(), errw.String()
}

// run runs a container to its end.
func (r *rig) run(id string) (code int, stdout, stderr string) {
	r.t.Helper()
	s := r.attach(id, engine.AttachOptions{Stdout: true, Stderr: true})
	w := r.waiter(id, engine.WaitNextExit)
	r.start(id)
	defer s.Close()
	stdout, stderr = r.read(s)
	return r.code(w), stdout, stderr
}

// exec runs a command in a running container.
func (r *rig) exec(id string, args ...string) (code int, stdout, stderr string) {
	r.t.Helper()
	x, err := r.ExecCreate(r.t.Context(), id, engine.ExecSpec{Cmd: args, AttachStdout: true, AttachStderr: true})
	if err != nil {
		r.t.Fatalf("create exec: %v", err)
	}
	s, err := r.ExecStart(r.t.Context(), x, engine.ExecStartOptions{})
	if err != nil {
		r.t.Fatalf("start exec: %v", err)
	}
	defer s.Close()
	stdout, stderr = r.read(s)
	st, err := r.ExecInspect(r.t.Context(), x)
	if err != nil || st.ExitCode == nil || st.Running {
		r.t.Fatalf("inspect: %+v, %v", st, err)
	}
	return *st.ExitCode, stdout, stderr
}

func (r *rig) status(id string) engine.Status {
	r.t.Helper()
	snap, err := r.Store.State(id)
	if err != nil {
		r.t.Fatal(err)
	}
	if snap.Lost {
		return "lost"
	}
	return snap.Status()
}

// dockerSpec is a configuration as Docker's.
func dockerSpec(root string, args ...string) *specs.Spec {
	spec := testspec.Docker(root, args...)
	spec.Linux.Resources = &specs.LinuxResources{}
	return spec
}
