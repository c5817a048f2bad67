//go:build linux

package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// bothViews runs a test on a stopped and on a running container.
func bothViews(t *testing.T, f func(t *testing.T, r rig, v *View)) {
	before := mounts(t)
	t.Run("stopped", func(t *testing.T) {
		r := newRig(t)
		s := r.stopped()
		s.Write = true
		f(t, r, r.open(t, s))
	})
	t.Run("running", func(t *testing.T) {
		r := newRig(t)
		f(t, r, r.running(t))
	})
	if after := mounts(t); after != before {
		t.Errorf("there are %d mounts, before there were %d", after, before)
	}
}

func TestStat(t *testing.T) {
	bothViews(t, func(t *testing.T, _ rig, v *View) {
		for _, test := range []struct {
			path, name string
			mode       fs.FileMode
			link       string
			err        error
		}{
			{"/d/f", "f", 0o644, "", nil},
			{"d/f", "f", 0o644, "", nil},
			{"/d", "d", fs.ModeDir | 0o755, "", nil},
			{"/d/", "d", fs.ModeDir | 0o755, "", nil},
			{"/d/.", ".", fs.ModeDir | 0o755, "", nil},
			{"/", "/", fs.ModeDir | 0o755, "", nil},
			{"/../..", "/", fs.ModeDir | 0o755, "", nil},
			{"/link", "link", fs.ModeSymlink | 0o777, "/d/f", nil},
			{"/d/../link", "link", fs.ModeSymlink | 0o777, "/d/f", nil},
			{"/d/up", "up", fs.ModeSymlink | 0o777, "/d", nil},
			{"/d/up/", "up", fs.ModeDir | 0o755, "", nil},
			{"/dangling", "dangling", fs.ModeSymlink | 0o777, "/nosuch", nil},
			{"/out", "out", fs.ModeSymlink | 0o777, "/etc", nil},
			{"/out/passwd", "passwd", 0o644, "", nil},
			{"/nosuch", "", 0, "", engine.ErrNotFound},
			{"/d/f/x", "", 0, "", engine.ErrNotFound},
			{"/dangling/", "", 0, "", engine.ErrNotFound},
			{"/d/f/", "", 0, "", engine.ErrInvalid},
			{"/loop", "", 0, "", engine.ErrInvalid},
			{"", "", 0, "", engine.ErrInvalid},
			{"/a\x00b", "", 0, "", errAny},
		} {
			st, err := v.Stat(t.Context(), test.path)
			if test.err == errAny {
				if err == nil {
					t.Errorf("%q: no error", test.path)
				}
				continue
			}
			if !errors.Is(err, test.err) {
				t.Errorf("%s: %v, want %v", test.path, err, test.err)
			}
			if err == nil && (st.Name != test.name || st.Mode != test.mode || st.LinkTarget != test.link || st.ModTime.IsZero()) {
				t.Errorf("%s: %+v", test.path, st)
			}
		}
	})
}

var errAny = errors.New("any error")

func TestGet(t *testing.T) {
	bothViews(t, func(t *testing.T, _ rig, v *View) {
		tree := func(root string) map[string]string {
			return map[string]string{root + "/": "", root + "/f": "content\n", root + "/sub/": "", root + "/up": "-> ../d"}
		}
		for path, want := range map[string]map[string]string{
			"/d": tree("d"), "/d/": tree("d"), "/d/.": tree("."), "/d/up/": tree("up"), "/d/sub/..": tree("d"),
			"/link": {"link": "-> /d/f"}, "/d/f": {"f": "content\n"}, "/dangling": {"dangling": "-> /nosuch"},
			"/out/passwd": {"passwd": "root:x:0:0::/:\n"},
		} {
			got, _ := get(t, v, path)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: %s", path, d)
			}
		}
		all, st := get(t, v, "/")
		if st.Name != "/" || all["/d/f"] != "content\n" || all["/etc/passwd"] == "" {
			t.Errorf("the root %+v has %v", st, slices.Sorted(maps.Keys(all)))
		}
		for name := range all {
			if strings.HasPrefix(name, "/proc/") && name != "/proc/" || strings.HasPrefix(name, "/dev/") && name != "/dev/" {
				t.Errorf("the root has %s", name)
			}
		}
		for _, name := range []string{"/nosuch", "/dangling/"} {
			if _, _, err := v.GetArchive(t.Context(), name, engine.ArchiveOptions{}); !errors.Is(err, engine.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestMounts: what is mounted in a running container is seen, and is not exported.
func TestMounts(t *testing.T) {
	r := newRig(t)
	v := r.running(t)
	if got, _ := get(t, v, "/tmp"); got["tmp/in-memory"] != "memory" {
		t.Errorf("/tmp is %v", got)
	}
	if got, _ := get(t, v, "/"); got["/tmp/in-memory"] != "memory" || got["/ro/kept"] != "kept" {
		t.Errorf("/ is %v", got)
	}
	if got, _ := get(t, v, "/proc/1/comm"); got["comm"] != "" { // as long as its status says
		t.Errorf("a file of proc is %q", got)
	}
	if _, err := v.Stat(t.Context(), "/proc/self/root/etc"); err == nil {
		t.Error("a magic link was followed")
	}
	checkExport(t, v)
}

func checkExport(t *testing.T, v *View) {
	t.Helper()
	x, err := v.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, _ := untar(t, x)
	x.Close()
	want := map[string]string{
		"d/": "", "d/f": "content\n", "d/sub/": "", "d/up": "-> ../d", "dangling": "-> /nosuch", "etc/": "", "etc/passwd": "root:x:0:0::/:\n",
		"link": "-> /d/f", "loop": "-> loop", "out": "-> ../../../../../../etc", "proc/": "", "tmp/": "", "ro/": "", "dev/": "",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestExportMounts is Export where the root cannot be had alone.
func TestExportMounts(t *testing.T) {
	r := newRig(t)
	v := r.running(t)
	v.plain = v.root
	checkExport(t, v)
}

// TestStoppedMounts: binds are there, made where there is no place for them; the container's own directories are not touched by a view for reading.
func TestStoppedMounts(t *testing.T) {
	r := newRig(t)
	r.write(t, "hosts", "127.0.0.1")
	s := r.stopped()
	s.Mounts = Mounts(&specs.Spec{Mounts: []specs.Mount{
		{Type: "proc", Source: "proc", Destination: "/proc"},
		{Type: "bind", Source: r.dir + "/ro", Destination: "/out/new/ro", Options: []string{"rbind", "ro"}},
		{Source: r.dir + "/hosts", Destination: "/etc/hosts", Options: []string{"bind"}},
		{Type: "tmpfs", Source: "tmpfs", Destination: "/d"},
		{Type: "bind", Source: "/proc/1/ns/ipc", Destination: "/dev/shm"},
		{Type: "bind", Source: "/sys", Destination: "/sys", Options: []string{"rbind"}},
		{Type: "bind", Source: r.dir + "/mounts/0", Destination: "/image", Options: []string{"rbind"}},
	}}, r.dir+"/mounts")
	mkdir(t, r.dir+"/.work-crashed")
	for _, write := range []bool{false, true} {
		s.Write = write
		v := r.open(t, s)
		if got, _ := get(t, v, "/etc"); got["etc/new/ro/kept"] != "kept" || got["etc/hosts"] != "127.0.0.1" || got["etc/passwd"] == "" {
			t.Errorf("/etc is %v", got)
		}
		if got, _ := get(t, v, "/d/f"); got["f"] == "" {
			t.Error("a tmpfs is mounted")
		}
		x, err := v.Export(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := untar(t, x); got["etc/hosts"] != "" || got["etc/new/ro/kept"] != "" {
			t.Errorf("the export has mounts: %v", got)
		}
		if err := v.PutArchive(t.Context(), "/etc/new/ro", strings.NewReader(string(tarOf(t, hdr("x")))), PutOptions{}); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("put to a read-only mount: %v", err)
		}
		v.Close()
		want := ""
		if write {
			want = "C/etc A/etc/hosts A/etc/new A/etc/new/ro"
		}
		if got := changes(t, r); got != want {
			t.Errorf("write %v: changes are %q, want %q", write, got, want)
		}
	}
	if l, err := os.ReadDir(r.dir); err != nil || len(l) != 6 {
		t.Errorf("left are %v, %v", l, err)
	}
}

// TestMountTargetNowhere: a mount whose target is a link that leads nowhere is where the link leads to, made as it is when
// the container starts, and never out of the container.
func TestMountTargetNowhere(t *testing.T) {
	r := newRig(t)
	r.write(t, "file", "one file")
	r.symlink(t, "nosuch/deep", "layer/relative")
	r.symlink(t, "dangling/more", "layer/chain")
	r.symlink(t, strings.Repeat("../", 20)+"/berth-nowhere/up", "layer/up")
	s := r.stopped()
	bind := func(source, target string) specs.Mount {
		return specs.Mount{Type: "bind", Source: source, Destination: target, Options: []string{"rbind"}}
	}
	s.Mounts = Mounts(&specs.Spec{Mounts: []specs.Mount{
		bind(r.dir+"/ro", "/dangling"), bind(r.dir+"/file", "/relative"), bind(r.dir+"/ro", "/chain/../sub"), bind(r.dir+"/ro", "/up"), bind(r.dir+"/file", "/up/f"),
	}}, "")
	for _, write := range []bool{false, true} {
		s.Write = write
		v := r.open(t, s)
		for name, want := range map[string]string{
			"/nosuch/kept": "kept", "/dangling/kept": "kept", "/nosuch/deep": "one file", "/berth-nowhere/up/kept": "kept", "/up/f": "one file", "/nosuch/sub/kept": "kept",
		} {
			if got, st := get(t, v, name); got[st.Name] != want {
				t.Errorf("write %v: %s is %v, want %q", write, name, got, want)
			}
		}
		x, err := v.Export(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := untar(t, x); got["dangling"] != "-> /nosuch" || got["nosuch/deep"] != "" {
			t.Errorf("write %v: the export is %v", write, got)
		}
		if write {
			put(t, v, "/dangling", tarOf(t, hdr("new"), "put"), PutOptions{})
		}
		v.Close()
	}
	if b, err := os.ReadFile(r.dir + "/ro/new"); err != nil || string(b) != "put" {
		t.Errorf("what was put is %q, %v", b, err)
	}
	if _, err := os.Lstat("/berth-nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("on the host: %v", err)
	}
	s.Mounts = []Mount{{Source: r.dir + "/ro", Target: "/loop"}}
	if v, err := OpenStopped(t.Context(), s); !errors.Is(err, unix.ELOOP) {
		v.Close()
		t.Errorf("a loop: %v", err)
	}
}

// TestReadOnlyBelow: a bind that is read-only with all that is mounted below is so in a stopped container's view too.
func TestReadOnlyBelow(t *testing.T) {
	r := newRig(t)
	below := smallMount(t, mkdir(t, r.dir+"/ro/below"))
	for option, below := range map[string]bool{"rro": true, "ro": false} {
		s := r.stopped()
		s.Write = true
		s.Mounts = Mounts(&specs.Spec{Mounts: []specs.Mount{{Type: "bind", Source: r.dir + "/ro", Destination: "/mnt", Options: []string{"rbind", option}}}}, "")
		v := r.open(t, s)
		put := func(dir string) error {
			return v.PutArchive(t.Context(), dir, strings.NewReader(string(tarOf(t, hdr("x"), "data"))), PutOptions{})
		}
		if err := put("/mnt"); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("%s: put: %v", option, err)
		}
		if err := put("/mnt/below"); errors.Is(err, engine.ErrConflict) != below {
			t.Errorf("%s: put to what is mounted below: %v", option, err)
		}
		v.Close()
	}
	if l, err := os.ReadDir(below); err != nil || len(l) != 1 {
		t.Errorf("on the host there are %v, %v", l, err)
	}
	if _, err := os.Stat(r.dir + "/ro/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the host's file: %v", err)
	}
}

// smallMount mounts a file system in memory.
func smallMount(t *testing.T, dir string) string {
	t.Helper()
	if err := unix.Mount("berth-test", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// TestReplaceMountpoint: what is mounted is not replaced, nor removed with a directory above.
func TestReplaceMountpoint(t *testing.T) {
	check := func(t *testing.T, v *View) {
		err := v.PutArchive(t.Context(), "/", strings.NewReader(string(tarOf(t, hdr("ro"), "data"))), PutOptions{})
		if err == nil || !strings.Contains(err.Error(), "busy") {
			t.Errorf("replace a mount point: %v", err)
		}
		if got, _ := get(t, v, "/ro"); got["ro/kept"] != "kept" {
			t.Errorf("/ro is %v", got)
		}
	}
	r := newRig(t)
	s := r.stopped()
	s.Write = true
	s.Mounts = []Mount{{Source: r.dir + "/ro", Target: "/ro"}, {Source: r.dir + "/ro/kept", Target: "/d/sub/file"}}
	v := r.open(t, s)
	check(t, v)
	if err := v.PutArchive(t.Context(), "/", strings.NewReader(string(tarOf(t, hdr("d"), "data"))), PutOptions{}); err == nil {
		t.Error("a directory with a mount point was replaced")
	}
	if got, _ := get(t, v, "/d/sub/file"); got["file"] != "kept" {
		t.Errorf("the file is %v", got)
	}
	v.Close()
	check(t, newRig(t).running(t))
	if got, err := os.ReadFile(r.dir + "/ro/kept"); string(got) != "kept" {
		t.Errorf("on the host: %q, %v", got, err)
	}
}

func TestReadOnly(t *testing.T) {
	r := newRig(t)
	s := r.stopped()
	s.Write, s.ReadOnly = true, true
	stopped := r.open(t, s)
	data := tarOf(t, hdr("x"), "data")
	for name, v := range map[string]*View{"stopped": stopped} {
		if err := v.PutArchive(t.Context(), "/etc", strings.NewReader(string(data)), PutOptions{}); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	stopped.Close()
	v := r.running(t, "READONLY=1")
	for _, dir := range []string{"/etc", "/ro"} {
		if err := v.PutArchive(t.Context(), dir, strings.NewReader(string(data)), PutOptions{}); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	put(t, v, "/tmp", data, PutOptions{})
	if got, _ := get(t, v, "/tmp/x"); got["x"] != "data" {
		t.Errorf("got %v", got)
	}
	if got := changes(t, r); got != "" {
		t.Errorf("changes are %s", got)
	}
}

func TestRunningGone(t *testing.T) {
	r := newRig(t)
	pid := r.run(t)
	if _, err := Running(pid, 1, Options{}); !errors.Is(err, engine.ErrNotRunning) {
		t.Errorf("another start time: %v", err)
	}
	if _, err := Running(1<<22+1, 0, Options{}); !errors.Is(err, engine.ErrNotRunning) {
		t.Errorf("no process: %v", err)
	}
	v, err := Running(pid, 0, Options{})
	if err != nil {
		t.Fatal(err)
	}
	syscall.Kill(pid, syscall.SIGKILL)
	if _, err := v.Stat(t.Context(), "/etc/passwd"); err != nil { // what is held stays
		t.Error(err)
	}
	v.Close()
	v.Close()
	if _, err := v.Stat(t.Context(), "/"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestCancel: a cancelled archive ends, wherever it is.
func TestCancel(t *testing.T) {
	r := newRig(t)
	if err := os.Truncate(r.dir+"/layer/d/f", 1<<40); err != nil { // a hole that takes hours
		t.Fatal(err)
	}
	v := r.open(t, r.stopped())
	ctx, cancel := context.WithCancel(t.Context())
	a, st, err := v.GetArchive(ctx, "/d/f", engine.ArchiveOptions{})
	if err != nil || st.Size != 1<<40 {
		t.Fatal(st, err)
	}
	v.Close() // the archive goes on
	if _, err := io.CopyN(io.Discard, a, 10<<20); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, a); !errors.Is(err, context.Canceled) {
		t.Errorf("get: %v", err)
	}
	a.Close()

	s := r.stopped()
	s.Write = true
	v = r.open(t, s)
	ctx, cancel = context.WithCancel(t.Context())
	pr, pw := io.Pipe()
	defer pw.Close()
	time.AfterFunc(10*time.Millisecond, cancel)
	if err := v.PutArchive(ctx, "/", pr, PutOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("put: %v", err)
	}
	if _, _, err := v.GetArchive(ctx, "/", engine.ArchiveOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("get: %v", err)
	}
}

// TestMainThread: the namespaces that /proc/self shows are never changed.
func TestMainThread(t *testing.T) {
	r := newRig(t)
	before, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		done := make(chan *View)
		for range 4 {
			go func() {
				v, _ := OpenStopped(context.Background(), r.stopped())
				done <- v
			}()
		}
		for range 4 {
			if v := <-done; v == nil {
				t.Fatal("no view")
			} else {
				v.Close()
			}
		}
	}
	if after, err := os.Readlink("/proc/self/ns/mnt"); err != nil || after != before {
		t.Errorf("%s, before %s, %v", after, before, err)
	}
	var x, y unix.Stat_t
	if err := errors.Join(unix.Stat("/proc/self/cwd", &x), unix.Stat(".", &y)); err != nil || x.Ino != y.Ino {
		t.Errorf("the working directory: %v", err)
	}
}

func TestDiff(t *testing.T) {
	list := []engine.Change{
		{Path: "/etc", Kind: engine.ChangeModified}, {Path: "/etc/hosts", Kind: engine.ChangeAdded},
		{Path: "/run", Kind: engine.ChangeAdded}, {Path: "/run/secrets", Kind: engine.ChangeAdded},
		{Path: "/sys", Kind: engine.ChangeAdded}, {Path: "/tmp", Kind: engine.ChangeModified}, {Path: "/tmp/f", Kind: engine.ChangeAdded},
	}
	hide := []string{"/etc/hosts", "/run/secrets", "/sys"}
	if d := cmp.Diff(list[5:], hideChanges(list, hide)); d != "" {
		t.Error(d)
	}
	list = append(list[:2:2], append([]engine.Change{{Path: "/etc/own", Kind: engine.ChangeAdded}}, list[2:]...)...)
	if d := cmp.Diff([]engine.Change{list[0], list[2], list[6], list[7]}, hideChanges(list, hide)); d != "" {
		t.Error(d)
	}
}

// TestManyLayers: their names need not fit in a page.
func TestManyLayers(t *testing.T) {
	r := newRig(t)
	s := r.stopped()
	s.LayerDirs = nil
	for i := range 300 {
		dir := fmt.Sprintf("layers/%s/%d", strings.Repeat("long", 20), i)
		if err := os.MkdirAll(r.dir+"/"+dir, 0o755); err != nil {
			t.Fatal(err)
		}
		r.write(t, dir+"/f", fmt.Sprint(i))
		r.write(t, dir+"/"+fmt.Sprint(i), "")
		s.LayerDirs = append(s.LayerDirs, r.dir+"/"+dir)
	}
	for _, write := range []bool{false, true} {
		s.Write = write
		v := r.open(t, s)
		if got, _ := get(t, v, "/"); got["/f"] != "0" || len(got) != 302 {
			t.Errorf("write %v: %d files, %q", write, len(got), got["/f"])
		}
	}
}
