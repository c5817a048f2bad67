//go:build linux

package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/launch"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// TestShare starts containers in the namespaces of another one, with its /dev/shm.
func TestShare(t *testing.T) {
	a := newRig(t)
	a.busybox()
	out := a.build(engine.Spec{Image: "img", IPCMode: "shareable", ShmSize: 3 << 20, Command: []string{"/bin/sh", "-c", "echo theirs >/dev/shm/f; echo ready; sleep 1000"}}, a.host)
	s, err := a.start(out)
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	dir := a.containerDir(testID)
	// The process ends with the thread that starts it: one that nobody else takes.
	var first *launch.Process
	started, end := make(chan struct{}), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		first, err = launch.Start(launch.Config{Spec: s.OCI, Stdout: w, Overlay: &launch.Overlay{Lower: a.layers, Upper: filepath.Join(dir, "upper"), Work: filepath.Join(dir, "work")}})
		close(started)
		<-end
	}()
	<-started
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.Kill(first.PID, unix.SIGKILL)
		first.Wait()
		first.Pidfd.Close()
		close(end)
	})
	if b, err := io.ReadAll(io.LimitReader(r, 6)); err != nil || string(b) != "ready\n" {
		t.Fatalf("%q, %v", b, err)
	}
	out.Config.ID = otherID
	for _, way := range []string{"launch", "runc"} {
		b := newRig(t)
		b.busybox()
		b.others["a"], b.others[otherID] = out.Config, out.Config
		spec := engine.Spec{Image: "img", PIDMode: "container:a", IPCMode: "container:a", NetworkMode: "container:a", UTSMode: "container:a", CgroupParent: testCgroup,
			Command: []string{"/bin/sh", "-c", "cat /dev/shm/f; df -k /dev/shm | tail -1 | awk '{print $2}'; for n in pid ipc net uts; do readlink /proc/self/ns/$n; done"}}
		t.Cleanup(removeCgroups)
		mine := b.build(spec, b.host)
		if _, err := b.start(mine); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("namespaces of a container that does not run: %v", err)
		}
		b.runs[otherID] = &state.Run{Status: engine.StatusRunning, PID: first.PID}
		started, err := b.start(mine)
		if err != nil {
			t.Fatal(err)
		}
		// The files of the network are those of the other one, which the rig has elsewhere.
		theirs := filepath.Join(b.dir, "containers", otherID, "files")
		for _, f := range []string{"hosts", "hostname", "resolv.conf"} {
			b.write(filepath.Join(theirs, f), "theirs\n", 0o644)
		}
		run := b.launched
		if way == "runc" {
			run = b.withRunc
		}
		got, err := run(started)
		if err != nil {
			t.Fatalf("%s: %v: %s", way, err, got)
		}
		var want strings.Builder
		want.WriteString("theirs\n3072\n")
		for _, n := range []string{"pid", "ipc", "net", "uts"} {
			l, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", first.PID, n))
			if err != nil {
				t.Fatal(err)
			}
			want.WriteString(l + "\n")
		}
		if got != want.String() {
			t.Errorf("%s:\n%s\nwant:\n%s", way, got, want.String())
		}
	}
}

// TestNotShareable: Docker's containers keep their IPC namespace to themselves unless they say otherwise.
func TestNotShareable(t *testing.T) {
	r := newRig(t)
	r.others["other"] = &state.Config{ID: otherID, Name: "other"}
	s := engine.Spec{IPCMode: "container:other"}
	if _, err := Build(t.Context(), r.input(&s, testHost())); !errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), "shareable") {
		t.Error(err)
	}
}

// TestFailureNamesVolumes: whoever cannot be made leaves volumes for the caller to remove.
func TestFailureNamesVolumes(t *testing.T) {
	r := newRig(t)
	s := engine.Spec{Mounts: []engine.Mount{engine.Volume("new", "/v"), engine.Volume("", "/w")}, Secrets: []engine.SecretMount{{Source: "none"}}}
	out, err := Build(t.Context(), r.input(&s, testHost()))
	if err == nil || out == nil || len(out.NewVolumes) != 2 || out.Config != nil {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestSubpath: what a volume holds cannot lead out of it.
func TestSubpath(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("it takes root to copy mounts")
	}
	r := newRig(t)
	vol := filepath.Join(r.dir, "volumes/v/data")
	r.write(filepath.Join(vol, "etc/f"), "own", 0o644)
	for name, target := range map[string]string{"abs": "/etc", "up": "../../../../etc", "magic": "/proc/self/root/etc"} {
		if err := os.Symlink(target, filepath.Join(vol, name)); err != nil {
			t.Fatal(err)
		}
	}
	for sub, inside := range map[string]bool{"etc": true, "abs": true, "up": true, "magic": false, "none": false, "abs/f": true} {
		out := r.build(engine.Spec{Mounts: []engine.Mount{{Type: engine.MountVolume, Source: "v", Target: "/v", Subpath: sub}}}, testHost())
		s, err := r.start(out)
		if !inside {
			if !errors.Is(err, engine.ErrNotFound) {
				t.Errorf("%s: %v", sub, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", sub, err)
			continue
		}
		var st unix.Stat_t
		path := "f"
		if sub == "abs/f" {
			path = ""
		}
		if err := unix.Fstatat(int(s.Trees["/v"].Fd()), path, &st, unix.AT_EMPTY_PATH); err != nil || st.Size != 3 {
			t.Errorf("%s: %v, size %d", sub, err, st.Size)
		}
	}
}

// TestUserns: a rootless engine's maps are all IDs of the namespace that it is in.
func TestUserns(t *testing.T) {
	h := testHost()
	h.Rootless, h.CgroupV2, h.UID, h.GID = true, true, 1000, 1000
	h.UIDMap = []engine.IDMap{{Size: 65537}}
	h.GIDMap = h.UIDMap
	for _, mode := range []string{"", "host", "private", "auto"} {
		out := newRig(t).build(engine.Spec{UsernsMode: mode, NetworkMode: "host", Secrets: []engine.SecretMount{{Source: "sec", UID: 5}}}, h)
		want := []specs.LinuxIDMapping{{Size: 65537}}
		if diff := cmp.Diff(want, out.OCI.Linux.UIDMappings); diff != "" || !hasNS(out.OCI, specs.UserNamespace) {
			t.Errorf("%s: (-want +got)\n%s", mode, diff)
		}
		if m := mountAt(out.OCI, "/sys"); m.Type != "bind" {
			t.Errorf("%s: /sys is %+v: the kernel would refuse", mode, m)
		}
		if f := out.Files["secrets/0"]; f.UID != 5 {
			t.Errorf("%s: the secret belongs to %d", mode, f.UID)
		}
	}
	for _, s := range []engine.Spec{
		{Image: "img", NetworkMode: "host", UsernsMode: "keep-id:size=9"},
		{Image: "img"},                        // no program for a network
		{Image: "img", NetworkMode: "bridge"}, // no bridges
		{Image: "img", NetworkMode: "pasta"},
	} {
		if err := Check(&s, h); !errors.Is(err, engine.ErrUnsupported) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	h.NetworkHelpers = []string{"slirp4netns"}
	if err := Check(&engine.Spec{Image: "img"}, h); err != nil {
		t.Error(err)
	}
	if err := Check(&engine.Spec{Image: "img", NetworkMode: "pasta"}, h); !errors.Is(err, engine.ErrUnsupported) {
		t.Error(err)
	}
}

// TestShifted runs containers in a user namespace of a rootful engine: the files of the image and of volumes belong to
// its root inside, and on the disk to the host's.
func TestShifted(t *testing.T) {
	r := newRig(t)
	r.busybox()
	if !r.host.IDMappedLayers {
		s := engine.Spec{Image: "img", UsernsMode: "private", Podman: &engine.PodmanSpec{IDMappings: mappings()}}
		if err := Check(&s, r.host); !errors.Is(err, engine.ErrUnsupported) {
			t.Error(err)
		}
		return
	}
	r.write(filepath.Join(r.dir, "volumes/s/data/sub/x"), "in the volume\n", 0o600)
	r.write(filepath.Join(r.layers[1], "private"), "of the image\n", 0o600)
	out := r.build(engine.Spec{Image: "img", UsernsMode: "private", Podman: &engine.PodmanSpec{IDMappings: mappings()}, Env: map[string]string{"PATH": "/bin"},
		Mounts:  []engine.Mount{engine.Volume("v", "/v"), {Type: engine.MountVolume, Source: "s", Target: "/s", Subpath: "sub"}},
		Secrets: []engine.SecretMount{{Source: "sec", UID: 5}},
		Command: []string{"sh", "-c", "awk '{$1=$1};1' /proc/self/uid_map; cat /private /s/x; stat -c %u /private /v /etc/hosts /run/secrets/sec; touch /made /v/made && echo made; hostname; echo >/dev/null && head -c 1 /dev/zero | wc -c; ls /sys/fs/cgroup | head -1 | wc -l"}}, r.host)
	s, err := r.start(out)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.launched(s)
	if want := "0 200000 65536\nof the image\nin the volume\n0\n0\n0\n5\nmade\n0123456789ab\n1\n1\n"; err != nil || got != want {
		t.Errorf("%v\n%s\nwant:\n%s", err, got, want)
	}
	for p, owner := range map[string]uint32{filepath.Join(r.containerDir(testID), "upper/made"): 200000, filepath.Join(r.dir, "volumes/v/data/made"): 0} {
		var st unix.Stat_t
		if err := unix.Stat(p, &st); err != nil || st.Uid != owner {
			t.Errorf("%s: %v, owner %d", p, err, st.Uid)
		}
	}
}

func mappings() *engine.IDMappings {
	m := []engine.IDMap{{ContainerID: 0, HostID: 200000, Size: 65536}}
	return &engine.IDMappings{UIDMap: m, GIDMap: m}
}

// TestAuto: two containers never have the same users.
func TestAuto(t *testing.T) {
	h := testHost()
	h.IDMappedLayers = true
	r := newRig(t)
	var used []engine.IDMap
	for range 5 {
		s := engine.Spec{UsernsMode: "auto"}
		in := r.input(&s, h)
		in.UsedIDs = func() ([]engine.IDMap, error) { return used, nil }
		out, err := Build(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		m := out.Config.UIDMap[0]
		for _, u := range used {
			if overlap(u, m) {
				t.Errorf("%+v overlaps %+v", m, u)
			}
		}
		if len(out.OCI.Linux.GIDMappings) != 1 || m.Size != 65536 || uint64(m.HostID)+uint64(m.Size) > 1<<31 {
			t.Errorf("map is %+v", m)
		}
		used = append(used, m)
	}
}

// TestPlacesTaken: what an option would set in a place that another option has taken is an error, not lost.
func TestPlacesTaken(t *testing.T) {
	r := newRig(t)
	r.others["other"] = &state.Config{ID: otherID, Name: "other"}
	for _, s := range []engine.Spec{
		{ShmSize: 1 << 20, Mounts: []engine.Mount{engine.Tmpfs("/dev/shm")}},
		{Hostname: "h", UTSMode: "container:other"},
		{Domainname: "d", UTSMode: "ns:/proc/1/ns/uts"},
		{Timezone: "local", Mounts: []engine.Mount{engine.Bind("/etc/hosts", "/etc/localtime")}},
		{Secrets: []engine.SecretMount{{Source: "sec"}}, Mounts: []engine.Mount{engine.Tmpfs("/run/secrets/sec")}},
		{Domainname: "d", Sysctls: map[string]string{"kernel.domainname": "e"}},
	} {
		if _, err := Build(t.Context(), r.input(&s, testHost())); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%s: %v", s, err)
		}
	}
	// The Spec that is kept is the caller's.
	s := engine.Spec{Domainname: "d", Sysctls: map[string]string{"net.core.somaxconn": "1"}}
	if out := r.build(s, testHost()); len(out.Config.Spec.Sysctls) != 1 || len(s.Sysctls) != 1 {
		t.Errorf("sysctls are %v", out.Config.Spec.Sysctls)
	}
}
