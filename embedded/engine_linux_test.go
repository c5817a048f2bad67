package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

// TestFailedCreate: a creation that fails leaves nothing, whatever it had made already.
func TestFailedCreate(t *testing.T) {
	r := newRig(t)
	r.create(engine.Spec{Name: "taken"}, "true")
	fail := func(what string, kind error, change func(s *engine.Spec)) {
		t.Helper()
		spec := engine.Spec{Image: image1, Command: []string{"true"}, NetworkMode: "none", Mounts: []engine.Mount{engine.Volume("", "/a"), engine.Volume("named", "/n")}}
		change(&spec)
		_, err := r.ContainerCreate(t.Context(), &spec, engine.CreateOptions{})
		r.want(what, err, kind)
	}
	before := r.volumes()
	fail("taken name", engine.ErrConflict, func(s *engine.Spec) { s.Name = "taken" })
	fail("missing image", engine.ErrImageNotFound, func(s *engine.Spec) { s.Image = "nosuch" })
	fail("other platform", engine.ErrImageNotFound, func(s *engine.Spec) { s.Platform = "linux/s390x" })
	fail("missing network", engine.ErrNotFound, func(s *engine.Spec) { s.NetworkMode = "nosuch" })
	fail("missing secret", engine.ErrNotFound, func(s *engine.Spec) { s.Secrets = []engine.SecretMount{{Source: "nosuch"}} })
	fail("missing runtime", engine.ErrUnsupported, func(s *engine.Spec) { s.Runtime = "berth-nosuch" })
	fail("missing bind", engine.ErrInvalid, func(s *engine.Spec) { s.Mounts = append(s.Mounts, engine.Bind("/nosuch/dir", "/b")) })
	if after := r.volumes(); !slices.Equal(before, after) {
		t.Errorf("volumes before %v, after %v", before, after)
	}
	list, err := r.ContainerList(t.Context(), engine.ListOptions{All: true})
	r.check(err)
	if len(list) != 1 {
		t.Errorf("%d containers", len(list))
	}
}

func (r *rig) volumes() (names []string) {
	r.t.Helper()
	list, err := r.VolumeList(r.t.Context(), nil)
	r.check(err)
	for _, v := range list {
		names = append(names, v.Name)
	}
	return names
}

// TestTwoEngines: what one program does another one sees at once.
func TestTwoEngines(t *testing.T) {
	r := newRig(t)
	other := r.open()
	ctx := t.Context()
	id := r.start(engine.Spec{Name: "shared"}, "sleep", "1000")
	a, err := other.ContainerInspect(ctx, "shared", engine.InspectOptions{})
	r.check(err)
	if a.ID != id || a.State.Status != engine.StatusRunning {
		t.Errorf("the other engine sees %+v", a.State)
	}
	r.check(other.ContainerKill(ctx, id, "KILL"))
	if code := r.ended(id); code != 137 {
		t.Errorf("code %d", code)
	}
	r.check(other.ContainerRemove(ctx, id, engine.RemoveOptions{}))
	_, err = r.ContainerInspect(ctx, "shared", engine.InspectOptions{})
	r.want("a removed container", err, engine.ErrNotFound)
}

// TestKilledMonitor: the end of a container whose monitor is killed is found, and its restart policy heeded.
func TestKilledMonitor(t *testing.T) {
	r := newRig(t)
	kill := func(id string) {
		t.Helper()
		s, err := r.store.State(id)
		r.check(err)
		r.check(syscall.Kill(s.Run.Monitor, syscall.SIGKILL))
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			if alive, err := r.store.MonitorAlive(id); err == nil && !alive {
				return
			}
			if time.Now().After(deadline) {
				t.Fatal("the monitor survives")
			}
		}
	}
	id := r.start(engine.Spec{}, "sleep", "1000")
	pid := r.status(id).PID
	kill(id)
	st := r.status(id)
	if st.Status != engine.StatusExited || st.ExitCode != 137 {
		t.Errorf("state %+v", st)
	}
	// It is dead, if not yet buried by the process that inherited it.
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && !strings.Contains(string(stat), ") Z ") {
		t.Errorf("the process lives on: %s", stat)
	}
	r.check(r.ContainerStart(t.Context(), id, engine.StartOptions{}))
	if st := r.status(id); st.Status != engine.StatusRunning {
		t.Errorf("started again: %+v", st)
	}

	again := r.start(engine.Spec{RestartPolicy: engine.RestartPolicy{Name: "always"}}, "sleep", "1000")
	kill(again)
	if st := r.status(again); st.Status != engine.StatusRunning || st.PID == 0 {
		t.Errorf("with the policy always: %+v", st)
	}
}

// TestPrune: what runs stays.
func TestPrune(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	labels := map[string]string{"a": "b"}
	running := r.start(engine.Spec{Labels: labels}, "sleep", "1000")
	ended := r.start(engine.Spec{Labels: labels}, "sh", "-c", "echo 12345 >/f")
	other := r.create(engine.Spec{}, "true")
	r.ended(ended)
	report, err := r.ContainerPrune(ctx, engine.Filters{"label": {"a=b"}})
	r.check(err)
	if !slices.Equal(report.Deleted, []string{ended}) || report.Reclaimed < 6 {
		t.Errorf("report %+v", report)
	}
	for id, want := range map[string]bool{running: true, ended: false, other: true} {
		if ok, err := r.ContainerExists(ctx, id); err != nil || ok != want {
			t.Errorf("container %s is there: %v (%v)", id, ok, err)
		}
	}
}

// TestVolumes: those of the image are made, filled, kept from removal, and removed with the container.
func TestVolumes(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	id := r.create(engine.Spec{Mounts: []engine.Mount{engine.Volume("copy", "/etc")}}, "cat", "/etc/passwd")
	names := r.volumes()
	if len(names) != 2 {
		t.Fatalf("volumes %v", names)
	}
	v, err := r.VolumeInspect(ctx, "copy")
	r.check(err)
	if data, err := os.ReadFile(filepath.Join(v.Mountpoint, "passwd")); err != nil || !strings.HasPrefix(string(data), "root:") {
		t.Errorf("the volume is not filled: %v", err)
	}
	r.want("removal of a volume in use", r.VolumeRemove(ctx, "copy", true), engine.ErrConflict)
	r.check(r.ContainerRemove(ctx, id, engine.RemoveOptions{Volumes: true}))
	if got := r.volumes(); !slices.Equal(got, []string{"copy"}) {
		t.Errorf("volumes %v, want the named one alone", got)
	}
	r.check(r.VolumeRemove(ctx, "copy", false))
}

// TestImageInUse: layers stay as long as a container has them.
func TestImageInUse(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	id := r.create(engine.Spec{}, "echo", "still there")
	_, err := r.ImageRemove(ctx, image1, engine.ImageRemoveOptions{})
	r.want("removal of an image in use", err, engine.ErrConflict)
	_, err = r.ImageRemove(ctx, image1, engine.ImageRemoveOptions{Force: true})
	r.check(err)
	r.check(r.ContainerStart(ctx, id, engine.StartOptions{}))
	if code := r.ended(id); code != 0 {
		t.Errorf("code %d", code)
	}
}

// TestNetworkChange: what is changed while a container does not run is true when it does.
func TestNetworkChange(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	for _, n := range []string{"one", "two"} {
		_, err := r.NetworkCreate(ctx, engine.NetworkCreateOptions{Name: n})
		r.check(err)
	}
	id := r.create(engine.Spec{Networks: []engine.Endpoint{{Network: "one"}}}, "sleep", "1000")
	r.check(r.NetworkConnect(ctx, "two", id, engine.Endpoint{Aliases: []string{"x"}}))
	r.want("second connection", r.NetworkConnect(ctx, "two", id, engine.Endpoint{}), engine.ErrConflict)
	r.want("removal of a network in use", r.NetworkRemove(ctx, "two", false), engine.ErrConflict)
	r.check(r.ContainerStart(ctx, id, engine.StartOptions{}))
	n, err := r.NetworkInspect(ctx, "two")
	r.check(err)
	if c, ok := n.Containers[id]; !ok || !c.IPv4.IsValid() {
		t.Errorf("network two has %v", n.Containers)
	}
	r.check(r.NetworkDisconnect(ctx, "one", id, false))
	r.want("second disconnection", r.NetworkDisconnect(ctx, "one", id, false), engine.ErrConflict)
	a, err := r.ContainerInspect(ctx, id, engine.InspectOptions{})
	r.check(err)
	if len(a.Networks) != 1 || !a.Networks["two"].IPv4.IsValid() {
		t.Errorf("networks %v", a.Networks)
	}
	none := r.create(engine.Spec{NetworkMode: "host"}, "true")
	r.want("connection of the host's network", r.NetworkConnect(ctx, "one", none, engine.Endpoint{}), engine.ErrConflict)
	r.check(r.ContainerRemove(ctx, id, engine.RemoveOptions{Force: true}))
	for _, n := range []string{"one", "two"} {
		r.check(r.NetworkRemove(ctx, n, false))
	}
}

// TestEvents: objects tell what happens to them, too.
func TestEvents(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	since := time.Now().Add(-time.Second)
	_, err := r.VolumeCreate(ctx, engine.VolumeCreateOptions{Name: "v"})
	r.check(err)
	_, err = r.NetworkCreate(ctx, engine.NetworkCreateOptions{Name: "n"})
	r.check(err)
	r.check(r.ImageTag(ctx, image1, "localhost/x:v1"))
	id := r.create(engine.Spec{Name: "c"}, "true")
	r.check(r.ContainerRename(ctx, id, "d"))
	r.check(r.ContainerRemove(ctx, id, engine.RemoveOptions{Volumes: true}))
	_, err = r.ImageRemove(ctx, "localhost/x:v1", engine.ImageRemoveOptions{})
	r.check(err)
	r.check(r.NetworkRemove(ctx, "n", false))
	r.check(r.VolumeRemove(ctx, "v", false))
	var got []string
	for ev, err := range r.Events(ctx, engine.EventOptions{Since: since, Until: time.Now()}) {
		r.check(err)
		if ev.Type == "volume" && ev.Name != "v" {
			continue // the image's
		}
		got = append(got, ev.Type+" "+ev.Action+" "+ev.Name)
	}
	got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, "image import") })
	want := []string{
		"volume create v", "network create n", "image tag localhost/x:v1", "container create c", "container rename d",
		"container destroy d", "image untag localhost/x:v1", "network destroy n", "volume destroy v",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestRunAfterRun: many containers at once, and nothing is left of them.
func TestRunAfterRun(t *testing.T) {
	r := newRig(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 5 {
				res, err := r.ContainerCreate(t.Context(), &engine.Spec{Image: image1, Command: []string{"sh", "-c", fmt.Sprintf("exit %d", i+n)}, AutoRemove: n%2 == 0}, engine.CreateOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				w, err := r.ContainerWait(t.Context(), res.ID, engine.WaitNextExit)
				if err != nil {
					t.Error(err)
					return
				}
				if err := r.ContainerStart(t.Context(), res.ID, engine.StartOptions{}); err != nil {
					t.Error(err)
				}
				if exit, err := w.Wait(); err != nil || exit.Code != i+n {
					t.Errorf("exit %+v, %v", exit, err)
				}
				w.Close()
				if n%2 != 0 {
					if err := r.ContainerRemove(t.Context(), res.ID, engine.RemoveOptions{Volumes: true}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		list, err := r.ContainerList(t.Context(), engine.ListOptions{All: true})
		r.check(err)
		if len(list) == 0 && len(r.volumes()) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("left: %v, volumes %v", list, r.volumes())
		}
	}
}

// TestBrokenContainer: one whose configuration cannot be read is listed, and can be removed.
func TestBrokenContainer(t *testing.T) {
	r := newRig(t)
	id := r.create(engine.Spec{Name: "broken"}, "true")
	r.check(os.WriteFile(filepath.Join(r.store.Dir(id), "container.json"), []byte("{"), 0o600))
	list, err := r.ContainerList(t.Context(), engine.ListOptions{All: true})
	r.check(err)
	if len(list) != 1 || list[0].ID != id {
		t.Errorf("list %v", list)
	}
	if err := r.ContainerStart(t.Context(), id, engine.StartOptions{}); err == nil {
		t.Error("it was started")
	}
	r.check(r.ContainerRemove(t.Context(), id, engine.RemoveOptions{}))
	if ok, err := r.ContainerExists(t.Context(), id); ok || err != nil {
		t.Errorf("it is there: %v, %v", ok, err)
	}
}

// TestReadOnlyState: what is there can be read, and nothing is half made.
func TestReadOnlyState(t *testing.T) {
	r := newRig(t)
	id := r.create(engine.Spec{}, "true")
	root := filepath.Join(r.dir, "root")
	r.check(syscall.Mount(root, root, "", syscall.MS_BIND, ""))
	defer syscall.Unmount(root, syscall.MNT_DETACH)
	r.check(syscall.Mount("", root, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""))
	if st := r.status(id); st.Status != engine.StatusCreated {
		t.Errorf("state %+v", st)
	}
	_, err := r.ContainerCreate(t.Context(), &engine.Spec{Image: image1, Command: []string{"true"}}, engine.CreateOptions{})
	if err == nil || !strings.Contains(err.Error(), "cannot be written to") {
		t.Errorf("create: %v", err)
	}
	if err := r.ContainerStart(t.Context(), id, engine.StartOptions{}); err == nil {
		t.Error("it was started")
	}
	if _, err := r.ImageImport(t.Context(), strings.NewReader(""), engine.ImportOptions{}); err == nil || errors.Is(err, engine.ErrInvalid) {
		t.Errorf("import: %v", err)
	}
}
