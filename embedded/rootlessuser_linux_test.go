package embedded

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/testenv"
)

// ordinary user's engine, in the directories that it finds by itself.
type userRig struct {
	*rootless
	t      *testing.T
	single bool // no ID but the user's own
}

// testAsUser is TestRootless in a process of the user.
func testAsUser(t *testing.T, name string) {
	if os.Geteuid() == 0 {
		t.Fatal("this process is not the ordinary user's")
	}
	c := ordinaryCases[name]
	e, err := Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := &userRig{rootless: e.(*guard).e.(*rootless), t: t, single: !c.Subordinate || len(c.Programs) == 0}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := r.ImageImport(t.Context(), testenv.Busybox(t), engine.ImportOptions{Reference: image1, Changes: []string{"ENV PATH=/bin"}}); err != nil {
		t.Fatal(err)
	}
	r.run("owners", (*userRig).owners)
	r.run("files", (*userRig).files)
	r.run("exec", (*userRig).exec)
	r.run("refused", (*userRig).refused)
	r.run("killed monitor", (*userRig).killed)
	r.run("shared namespaces", (*userRig).shared)
	r.run("the host's processes", (*userRig).hostPIDs)
	r.run("kept IDs", (*userRig).keepID)
	r.run("cancelled", (*userRig).cancelled)
	for _, p := range []string{"pasta", "slirp4netns"} {
		if slices.Contains(c.Programs, p) {
			r.run(p, func(r *userRig) { r.network(p) })
		}
	}
	if len(r.host.NetworkHelpers) == 0 {
		r.run("no network", (*userRig).noNetwork)
	}
	r.run("options", (*userRig).options)
	r.run("registry", (*userRig).registry)
	for _, p := range []string{"runc", "crun"} {
		// crun 1.8 wants no cgroup v2 beside v1.
		if slices.Contains(c.Programs, p) && (p == "runc" || c.CgroupV1) {
			r.run(p, func(r *userRig) { r.runtime(p) })
		}
	}
	r.run("nothing is left", (*userRig).empty)
}

func (r *userRig) run(name string, f func(r *userRig)) {
	r.t.Run(name, func(t *testing.T) { f(&userRig{rootless: r.rootless, t: t, single: r.single}) })
}

func (r *userRig) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *userRig) create(spec engine.Spec, command ...string) string {
	r.t.Helper()
	if spec.Image == "" {
		spec.Image = image1
	}
	spec.Command = command
	if spec.NetworkMode == "" {
		spec.NetworkMode = "none"
	}
	res, err := r.ContainerCreate(r.t.Context(), &spec, engine.CreateOptions{})
	r.check(err)
	return res.ID
}

// start starts a container that is removed with the test.
func (r *userRig) start(spec engine.Spec, command ...string) string {
	r.t.Helper()
	id := r.create(spec, command...)
	r.t.Cleanup(func() { r.remove(id) })
	r.check(r.ContainerStart(r.t.Context(), id, engine.StartOptions{}))
	return id
}

func (r *userRig) remove(id string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.ContainerRemove(ctx, id, engine.RemoveOptions{Force: true, Volumes: true}); err != nil && !errors.Is(err, engine.ErrNotFound) {
		r.t.Error(err)
	}
}

// sh runs a command to its end and returns its exit code and output.
func (r *userRig) sh(spec engine.Spec, script string) (int, string) {
	r.t.Helper()
	id := r.start(spec, "sh", "-c", script)
	w, err := r.ContainerWait(r.t.Context(), id, engine.WaitNotRunning)
	r.check(err)
	defer w.Close()
	exit, err := w.Wait()
	r.check(err)
	return exit.Code, r.log(id)
}

func (r *userRig) log(id string) string {
	r.t.Helper()
	l, err := r.ContainerLogs(r.t.Context(), id, engine.LogOptions{})
	r.check(err)
	defer l.Close()
	b, err := io.ReadAll(l)
	r.check(err)
	return strings.TrimSpace(text(b))
}

// text is what frames carry.
func text(b []byte) string {
	var out []byte
	for len(b) >= 8 {
		n := int(b[4])<<24 | int(b[5])<<16 | int(b[6])<<8 | int(b[7])
		out = append(out, b[8:8+n]...)
		b = b[8+n:]
	}
	return string(out)
}

// owner is who a file belongs to, as the user sees it from outside.
func (r *userRig) owner(path string) int {
	r.t.Helper()
	fi, err := os.Lstat(path)
	r.check(err)
	return int(fi.Sys().(*syscall.Stat_t).Uid)
}

// owners: root inside is the user, others are subordinate IDs, or nobody.
func (r *userRig) owners() {
	id := r.start(engine.Spec{}, "sh", "-c", "id -u; cat /proc/1/uid_map >/map; touch /root/f /joe; chown 1000:1000 /joe && chmod 600 /joe; echo chown=$?; sleep 100")
	await(r.t, func() bool { return strings.Contains(r.log(id), "chown=") })
	upper := filepath.Join(r.store.Dir(id), "upper")
	if got := r.owner(filepath.Join(upper, "map")); got != ordinaryID {
		r.t.Errorf("a file of root belongs to %d outside", got)
	}
	want, code := subordinateID+999, "chown=0"
	if r.single {
		want, code = ordinaryID, "chown=1"
	}
	if got := r.owner(filepath.Join(upper, "joe")); got != want {
		r.t.Errorf("a file of the user 1000 belongs to %d outside, want %d", got, want)
	}
	if lines := strings.Split(r.log(id), "\n"); !slices.Contains(lines, "0") || !slices.Contains(lines, code) {
		r.t.Errorf("inside: %q, want 0 and %s", lines, code)
	}
	a, err := r.ContainerInspect(r.t.Context(), id, engine.InspectOptions{Size: true})
	r.check(err)
	if got := r.owner(fmt.Sprintf("/proc/%d", a.State.PID)); got != ordinaryID {
		r.t.Errorf("root's process belongs to %d outside", got)
	}
	if a.SizeRw == nil || a.SizeRootFs == nil || *a.SizeRootFs < engine.MiB {
		r.t.Errorf("sizes: %v and %v", a.SizeRw, a.SizeRootFs)
	}
	code2, out := r.sh(engine.Spec{}, "mknod /n c 1 3; mount -t tmpfs x /mnt; test -c /dev/null && echo x >/dev/null && cat /proc/self/status | grep CapEff; rm -r /var && mkdir /var && ls -A /var")
	if code2 != 0 || strings.Count(out, "not permitted")+strings.Count(out, "denied") != 2 || !strings.Contains(out, "00000000a80425fb") {
		r.t.Errorf("%d: %s", code2, out)
	}
}

// archive is a tar of one file.
func archive(name, content string, uid int) io.Reader {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Uid: uid, Gid: uid, Size: int64(len(content))})
	io.WriteString(w, content)
	w.Close()
	return &b
}

// get reads one file of a container, and its owner.
func (r *userRig) get(id, path string) (string, int) {
	r.t.Helper()
	rc, _, err := r.ContainerGetArchive(r.t.Context(), id, path, engine.ArchiveOptions{})
	r.check(err)
	defer rc.Close()
	tr := tar.NewReader(rc)
	h, err := tr.Next()
	r.check(err)
	b, err := io.ReadAll(tr)
	r.check(err)
	return string(b), h.Uid
}

// files: what goes in, what comes out, and that others than root may own it.
func (r *userRig) files() {
	ctx := r.t.Context()
	uid := 1000
	if r.single {
		uid = 0
	}
	own := fmt.Sprintf("echo inside >/f; mkdir -m 700 /d; echo deep >/d/f; chown -R %d:%d /f /d /vol; chmod 600 /f", uid, uid)
	id := r.start(engine.Spec{Mounts: []engine.Mount{{Type: engine.MountVolume, Source: "data", Target: "/vol"}}}, "sh", "-c", own+"; touch /done; sleep 100")
	await(r.t, func() bool {
		_, err := r.ContainerStatPath(ctx, id, "/done")
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			r.t.Fatal(err)
		}
		return err == nil
	})
	for _, state := range []string{"running", "stopped"} {
		if got, owner := r.get(id, "/d/f"); got != "deep\n" || owner != uid {
			r.t.Errorf("%s: %q of %d", state, got, owner)
		}
		r.check(r.ContainerPutArchive(ctx, id, "/d", archive(state, "put", uid), engine.PutArchiveOptions{}))
		r.check(r.ContainerPutArchive(ctx, id, "/vol", archive(state, "put", uid), engine.PutArchiveOptions{}))
		if got, owner := r.get(id, "/vol/"+state); got != "put" || owner != uid {
			r.t.Errorf("%s: %q of %d", state, got, owner)
		}
		if _, err := r.ContainerStatPath(ctx, id, "/nosuch"); !errors.Is(err, engine.ErrNotFound) {
			r.t.Errorf("%s: %v", state, err)
		}
		diff, err := r.ContainerDiff(ctx, id)
		r.check(err)
		if !slices.ContainsFunc(diff, func(c engine.Change) bool { return c.Path == "/d/"+state }) {
			r.t.Errorf("%s: diff is %+v", state, diff)
		}
		rc, err := r.ContainerExport(ctx, id)
		r.check(err)
		n, err := io.Copy(io.Discard, rc)
		if err = errors.Join(err, rc.Close()); err != nil || n < 100000 {
			r.t.Errorf("%s: %d bytes, %v", state, n, err)
		}
		if state == "running" {
			r.check(r.ContainerStop(ctx, id, engine.StopOptions{Timeout: new(time.Duration(0))}))
		}
	}
	img, err := r.ContainerCommit(ctx, id, engine.CommitOptions{Repository: "committed"})
	r.check(err)
	if code, out := r.sh(engine.Spec{Image: img}, "stat -c %u /d/running /f; cat /d/stopped"); code != 0 || out != fmt.Sprintf("%d\n%d\nput", uid, uid) {
		r.t.Errorf("%d: %s", code, out)
	}
	rc, err := r.ImageSave(ctx, []string{"committed"}, engine.SaveOptions{})
	r.check(err)
	saved, err := io.ReadAll(rc)
	r.check(errors.Join(err, rc.Close()))
	for id := range r.all2() {
		r.remove(id)
	}
	_, err = r.ImageRemove(ctx, "committed", engine.ImageRemoveOptions{Force: true})
	r.check(err)
	names, err := r.ImageLoad(ctx, bytes.NewReader(saved))
	if err != nil || len(names) != 1 || !strings.Contains(names[0], "committed") {
		r.t.Errorf("loaded %v: %v", names, err)
	}
	_, err = r.ImageLoad(ctx, io.MultiReader(bytes.NewReader(saved[:5000]), broken{}))
	if !errors.Is(err, errBroken) {
		r.t.Errorf("a broken archive: %v", err)
	}
	_, err = r.ImageRemove(ctx, "committed", engine.ImageRemoveOptions{Force: true})
	r.check(err)
	u, err := r.DiskUsage(ctx)
	if err != nil || len(u.Volumes) != 1 || u.LayersSize == 0 {
		r.t.Errorf("%+v, %v", u, err)
	}
	r.check(r.VolumeRemove(ctx, "data", false))
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

// all2 are the IDs of all containers.
func (r *userRig) all2() map[string]bool {
	r.t.Helper()
	list, err := r.ContainerList(r.t.Context(), engine.ListOptions{All: true, Size: true})
	r.check(err)
	ids := map[string]bool{}
	for i := range list {
		ids[list[i].ID] = true
	}
	return ids
}

// exec: as root and as another user.
func (r *userRig) exec() {
	ctx := r.t.Context()
	id := r.start(engine.Spec{}, "sleep", "100")
	for _, user := range []string{"", "1000"} {
		x, err := r.ExecCreate(ctx, id, engine.ExecSpec{Cmd: []string{"id", "-u"}, User: user, AttachStdout: true, AttachStderr: true})
		r.check(err)
		s, err := r.ExecStart(ctx, x, engine.ExecStartOptions{})
		if r.single && user != "" {
			if err == nil {
				s.Close()
				r.t.Error("a user without an ID has executed something")
			}
			continue
		}
		r.check(err)
		b, err := io.ReadAll(s)
		r.check(errors.Join(err, s.Close()))
		if got, want := strings.TrimSpace(text(b)), "0"+user; got != want && got != user {
			r.t.Errorf("user %q is %q", user, got)
		}
	}
	top, err := r.ContainerTop(ctx, id, engine.TopOptions{})
	if err != nil || len(top.Rows) != 1 {
		r.t.Errorf("%+v, %v", top, err)
	}
}

// killed: nothing is left of a container whose monitor is killed.
func (r *userRig) killed() {
	spec := engine.Spec{}
	if len(r.host.NetworkHelpers) > 0 {
		spec.NetworkMode = r.host.NetworkHelpers[0]
	}
	user := "1000"
	if r.single {
		user = ""
	}
	spec.User = user
	id := r.start(spec, "sleep", "1000")
	run, err := r.store.ReadRun(id)
	r.check(err)
	r.check(syscall.Kill(run.Monitor, syscall.SIGKILL))
	await(r.t, func() bool {
		a, err := r.ContainerInspect(r.t.Context(), id, engine.InspectOptions{})
		r.check(err)
		return a.State.Status == engine.StatusExited && a.State.ExitCode == 137
	})
	for _, p := range []int{run.PID, run.Monitor} { // the helper's end too: it is in the container's network namespace
		await(r.t, func() bool { return syscall.Kill(p, 0) != nil || zombie(p) })
	}
	await(r.t, func() bool {
		return !slices.ContainsFunc(others(r.t), func(p string) bool {
			return strings.Contains(p, "passt") || strings.Contains(p, "pasta") || strings.Contains(p, "slirp")
		})
	})
	r.remove(id)
}

// zombie says that a process has ended and nobody has asked how.
func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(b), ") Z ")
}

// others are the user's processes but this one.
func others(t *testing.T) []string {
	t.Helper()
	own := strconv.Itoa(os.Getpid()) + " "
	all, err := testenv.OrdinaryProcesses()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(s string) bool { return strings.HasPrefix(s, own) })
}

// shared: a container in the namespaces of another.
func (r *userRig) shared() {
	id := r.start(engine.Spec{IPCMode: "shareable"}, "sh", "-c", "echo a >/dev/shm/a; sleep 1000")
	code, out := r.sh(engine.Spec{NetworkMode: "container:" + id, PIDMode: "container:" + id, IPCMode: "container:" + id}, "ls /proc/1/root/bin/sh; ps | grep -c 'sleep 1000'; cat /proc/self/uid_map")
	if code != 0 {
		r.t.Errorf("%d: %s", code, out)
	}
}

// cancelled: a call that is cancelled returns with the context's error.
func (r *userRig) cancelled() {
	ctx, cancel := context.WithCancel(r.t.Context())
	pr, pw := io.Pipe()
	defer pw.Close()
	done := make(chan error, 1)
	go func() {
		_, err := r.ImageImport(ctx, pr, engine.ImportOptions{})
		done <- err
	}()
	if _, err := pw.Write([]byte("x")); err != nil {
		r.t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		r.t.Error(err)
	}
	await(r.t, func() bool { return len(others(r.t)) == 0 })
}

// empty: what is removed is gone, whoever it belonged to.
func (r *userRig) empty() {
	ctx := r.t.Context()
	id := r.create(engine.Spec{}, "sh", "-c", "mkdir -m 700 /d; touch /d/f; chown -R 5:5 /d")
	r.check(r.ContainerStart(ctx, id, engine.StartOptions{}))
	w, err := r.ContainerWait(ctx, id, engine.WaitNotRunning)
	r.check(err)
	_, err = w.Wait()
	r.check(errors.Join(err, w.Close()))
	report, err := r.ContainerPrune(ctx, nil)
	if err != nil || !slices.Contains(report.Deleted, id) {
		r.t.Errorf("%+v, %v", report, err)
	}
	images, err := r.ImagePrune(ctx, engine.Filters{"dangling": {"false"}})
	if err != nil || len(images.Deleted) == 0 {
		r.t.Errorf("%+v, %v", images, err)
	}
	for _, dir := range []string{"containers/.dead", "containers/.new", "names", "layers", "volumes"} {
		entries, err := os.ReadDir(filepath.Join(r.store.Root(), dir))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			r.t.Error(err)
		}
		for _, e := range entries {
			if e.IsDir() && e.Name()[0] != '.' || strings.HasPrefix(dir, "containers/") {
				r.t.Errorf("%s/%s is left", dir, e.Name())
			}
		}
	}
}

// await waits until f holds.
func await(t *testing.T, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it has not come")
		}
	}
}
