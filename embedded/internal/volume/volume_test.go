//go:build linux

package volume

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

func newStore(t *testing.T) *Store {
	t.Helper()
	dir, err := os.MkdirTemp("/var/lib", "berth-test-volume-") // where directories have extended attributes and devices
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	s, err := Open(filepath.Join(dir, "volumes"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func create(t *testing.T, s *Store, opts engine.VolumeCreateOptions) *engine.VolumeAttrs {
	t.Helper()
	v, created, err := s.Create(t.Context(), opts)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	return v
}

// use is an InUse.
func use(names ...string) InUse {
	return func() (map[string][]string, error) {
		m := map[string][]string{}
		for _, n := range names {
			m[n] = []string{"container"}
		}
		return m, nil
	}
}

func names(list []engine.VolumeAttrs) []string {
	out := []string{}
	for _, v := range list {
		out = append(out, v.Name)
	}
	return out
}

func TestCreate(t *testing.T) {
	s := newStore(t)
	if list, err := s.List(t.Context(), nil, nil); err != nil || len(list) != 0 || list == nil {
		t.Errorf("%v, %v", list, err)
	}
	old := unix.Umask(0o077)
	v := create(t, s, engine.VolumeCreateOptions{Name: "data.1", Labels: map[string]string{"a": "b"}})
	unix.Umask(old)
	st, err := os.Stat(v.Mountpoint)
	if err != nil || st.Mode() != os.ModeDir|0o755 || v.Mountpoint != s.Path("data.1") {
		t.Errorf("%s: %v, %v", v.Mountpoint, st, err)
	}
	got, err := s.Inspect(t.Context(), "data.1")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(v, got); d != "" {
		t.Error(d)
	}
	if got.Driver != "local" || got.Scope != "local" || got.Anonymous || got.Labels["a"] != "b" || time.Since(got.Created) > time.Minute {
		t.Errorf("%+v", got)
	}
	var raw map[string]any
	if err := json.Unmarshal(got.Raw, &raw); err != nil || raw["Mountpoint"] != v.Mountpoint || raw["Name"] != "data.1" {
		t.Errorf("%s, %v", got.Raw, err)
	}
	if again, created, err := s.Create(t.Context(), engine.VolumeCreateOptions{Name: "data.1", Driver: "local"}); err != nil || created || again.Labels["a"] != "b" {
		t.Errorf("again: %+v, %v, %v", again, created, err)
	}
	if _, _, err := s.Create(t.Context(), engine.VolumeCreateOptions{Name: "data.1", DriverOptions: map[string]string{"type": "tmpfs", "device": "tmpfs"}}); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("with other options: %v", err)
	}
	anonymous := create(t, s, engine.VolumeCreateOptions{})
	if _, ok := anonymous.Labels[AnonymousLabel]; !ok || len(anonymous.Name) != 64 || strings.Trim(anonymous.Name, "0123456789abcdef") != "" || !anonymous.Anonymous {
		t.Errorf("%+v", anonymous)
	}
	for _, test := range []struct {
		opts engine.VolumeCreateOptions
		err  error
	}{
		{engine.VolumeCreateOptions{Name: "../x"}, engine.ErrInvalid},
		{engine.VolumeCreateOptions{Name: ".x"}, engine.ErrInvalid},
		{engine.VolumeCreateOptions{Driver: "nosuch"}, engine.ErrUnsupported},
		{engine.VolumeCreateOptions{DriverOptions: map[string]string{"type": "tmpfs"}}, engine.ErrInvalid},
		{engine.VolumeCreateOptions{DriverOptions: map[string]string{"device": "tmpfs"}}, engine.ErrInvalid},
		{engine.VolumeCreateOptions{DriverOptions: map[string]string{"device": "x", "o": "bind"}}, engine.ErrInvalid},
		{engine.VolumeCreateOptions{DriverOptions: map[string]string{"color": "red"}}, engine.ErrInvalid},
		{engine.VolumeCreateOptions{DriverOptions: map[string]string{"size": "1g"}}, engine.ErrUnsupported},
	} {
		if _, _, err := s.Create(t.Context(), test.opts); !errors.Is(err, test.err) {
			t.Errorf("%+v: %v", test.opts, err)
		}
	}
	if l, err := os.ReadDir(s.root); err != nil || len(l) != 3 { // two and the lock
		t.Errorf("left are %v, %v", l, err)
	}
}

func TestCreateOnce(t *testing.T) {
	s := newStore(t)
	var made atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			v, created, err := s.Create(t.Context(), engine.VolumeCreateOptions{Name: "one"})
			if err != nil || v.Name != "one" {
				t.Error(err)
			}
			if created {
				made.Add(1)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("it was made %d times", made.Load())
	}
}

func TestList(t *testing.T) {
	s := newStore(t)
	create(t, s, engine.VolumeCreateOptions{Name: "one", Labels: map[string]string{"app": "web", "x": ""}})
	create(t, s, engine.VolumeCreateOptions{Name: "two", Labels: map[string]string{"app": "db"}})
	create(t, s, engine.VolumeCreateOptions{Name: "three"})
	for _, test := range []struct {
		filters engine.Filters
		want    []string
	}{
		{nil, []string{"one", "three", "two"}},
		{engine.Filters{"name": {"^t"}}, []string{"three", "two"}},
		{engine.Filters{"name": {"one", "two"}}, []string{"one", "two"}},
		{engine.Filters{"label": {"app"}}, []string{"one", "two"}},
		{engine.Filters{"label": {"app=web", "x"}}, []string{"one"}},
		{engine.Filters{"label!": {"app=web"}}, []string{"three", "two"}},
		{engine.Filters{"dangling": {"true"}}, []string{"three", "two"}},
		{engine.Filters{"dangling": {"0"}}, []string{"one"}},
		{engine.Filters{"driver": {"local"}, "name": {"e$"}}, []string{"one", "three"}},
		{engine.Filters{"driver": {"nfs"}}, []string{}},
	} {
		got, err := s.List(t.Context(), test.filters, use("one"))
		if err != nil || !slices.Equal(names(got), test.want) {
			t.Errorf("%v: %v, %v", test.filters, names(got), err)
		}
	}
	for _, f := range []engine.Filters{{"color": {"red"}}, {"dangling": {"maybe"}}, {"name": {"("}}, {"dangling": {"1", "0"}}} {
		if _, err := s.List(t.Context(), f, use()); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%v: %v", f, err)
		}
	}
}

func TestRemove(t *testing.T) {
	s := newStore(t)
	if err := s.Remove(t.Context(), "x", false, use()); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("before there is a store: %v", err)
	}
	v := create(t, s, engine.VolumeCreateOptions{Name: "x"})
	if err := os.WriteFile(v.Mountpoint+"/f", nil, 0o400); err != nil {
		t.Fatal(err)
	}
	for _, force := range []bool{false, true} {
		if err := s.Remove(t.Context(), "x", force, use("x")); !errors.Is(err, engine.ErrConflict) || !strings.Contains(err.Error(), "in use") {
			t.Errorf("in use, force %v: %v", force, err)
		}
	}
	release, err := s.Lease(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Remove(ctx, "x", false, use()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("under a lease: %v", err)
	}
	release()
	// What a crash has left goes too.
	for _, d := range []string{".new-123/data", ".dead-y/data"} {
		if err := os.MkdirAll(filepath.Join(s.root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Remove(t.Context(), "x", false, use("other")); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), "x", false, use()); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	if err := s.Remove(t.Context(), "x", true, use()); err != nil {
		t.Errorf("again, forced: %v", err)
	}
	if _, err := s.Inspect(t.Context(), "x"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("inspect: %v", err)
	}
	if l, err := os.ReadDir(s.root); err != nil || len(l) != 1 {
		t.Errorf("left are %v, %v", l, err)
	}
}

func TestPrune(t *testing.T) {
	s := newStore(t)
	create(t, s, engine.VolumeCreateOptions{Name: "named"})
	create(t, s, engine.VolumeCreateOptions{Name: "used"})
	var anonymous []string
	for range 3 {
		v := create(t, s, engine.VolumeCreateOptions{})
		anonymous = append(anonymous, v.Name)
		if err := os.WriteFile(v.Mountpoint+"/f", make([]byte, 1000), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(v.Mountpoint+"/f", v.Mountpoint+"/g"); err != nil {
			t.Fatal(err)
		}
	}
	if size, err := s.Size(t.Context(), anonymous[0]); err != nil || size != 1000 {
		t.Errorf("size %v, %v", size, err)
	}
	report, err := s.Prune(t.Context(), nil, use("used", anonymous[0]))
	slices.Sort(report.Deleted)
	want := slices.Sorted(slices.Values(anonymous[1:]))
	if err != nil || !slices.Equal(report.Deleted, want) || report.Reclaimed != 2000 {
		t.Errorf("%+v, %v", report, err)
	}
	report, err = s.Prune(t.Context(), engine.Filters{"all": {"true"}, "label!": {AnonymousLabel}}, use("used"))
	if err != nil || !slices.Equal(report.Deleted, []string{"named"}) {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := s.Prune(t.Context(), engine.Filters{"name": {"x"}}, use()); !errors.Is(err, engine.ErrInvalid) {
		t.Error(err)
	}
}

func TestMount(t *testing.T) {
	s := newStore(t)
	src := filepath.Join(filepath.Dir(s.root), "src")
	if err := errors.Join(os.Mkdir(src, 0o755), os.WriteFile(src+"/f", []byte("bound"), 0o600)); err != nil {
		t.Fatal(err)
	}
	mounted := func(name string) bool {
		t.Helper()
		is, err := isMount(s.Path(name))
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	create(t, s, engine.VolumeCreateOptions{Name: "plain"})
	create(t, s, engine.VolumeCreateOptions{Name: "tmp", DriverOptions: map[string]string{"type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=1000,noexec"}})
	create(t, s, engine.VolumeCreateOptions{Name: "bind", DriverOptions: map[string]string{"type": "none", "device": src, "o": "bind,ro"}})
	create(t, s, engine.VolumeCreateOptions{Name: "bad", DriverOptions: map[string]string{"type": "nosuchfs", "device": "x"}})
	t.Cleanup(func() {
		for _, n := range []string{"tmp", "bind"} {
			detach(s.Path(n))
		}
	})
	if s.NeedsMount("plain") || !s.NeedsMount("tmp") || s.NeedsMount("nosuch") {
		t.Error("NeedsMount")
	}
	if err := errors.Join(s.Mount(t.Context(), "plain", "c1"), s.Mount(t.Context(), "tmp", "c1"), s.Mount(t.Context(), "tmp", "c2"), s.Mount(t.Context(), "bind", "c1")); err != nil {
		t.Fatal(err)
	}
	if mounted("plain") || !mounted("tmp") || !mounted("bind") {
		t.Error("mounted are others")
	}
	var st unix.Stat_t
	var fs unix.Statfs_t
	if err := errors.Join(unix.Stat(s.Path("tmp"), &st), unix.Statfs(s.Path("tmp"), &fs)); err != nil || st.Uid != 1000 || fs.Blocks*uint64(fs.Bsize) != 1<<20 || fs.Flags&unix.ST_NOEXEC == 0 {
		t.Errorf("tmpfs: %+v, %v", fs, err)
	}
	if err := os.WriteFile(s.Path("bind")+"/g", nil, 0o600); !errors.Is(err, unix.EROFS) {
		t.Errorf("write to a read-only bind: %v", err)
	}
	if err := s.Mount(t.Context(), "bad", "c1"); err == nil || mounted("bad") {
		t.Errorf("an unknown file system: %v", err)
	}
	if err := s.Mount(t.Context(), "nosuch", "c1"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("no volume: %v", err)
	}
	for range 2 {
		if err := errors.Join(s.Unmount(t.Context(), "tmp", "c1"), s.Unmount(t.Context(), "plain", "c1"), s.Unmount(t.Context(), "nosuch", "c1")); err != nil {
			t.Fatal(err)
		}
		if !mounted("tmp") {
			t.Fatal("it is not mounted any more, and has a user")
		}
	}
	// A user of before a reboot is none.
	if err := os.WriteFile(filepath.Join(s.root, "tmp", usersDir, "c0"), []byte("another boot"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Unmount(t.Context(), "tmp", "c2"); err != nil || mounted("tmp") {
		t.Errorf("the last: %v", err)
	}
	// What is mounted is not removed with the volume.
	if err := s.Remove(t.Context(), "bind", false, use()); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(src + "/f"); err != nil || string(text) != "bound" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestCopyUp(t *testing.T) {
	s := newStore(t)
	dir := filepath.Dir(s.root)
	top, bottom := dir+"/top", dir+"/bottom"
	outside := dir + "/outside"
	do := func(errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	do(os.MkdirAll(bottom+"/srv/sub", 0o755), os.MkdirAll(top+"/srv", 0o755), os.Mkdir(outside, 0o755), os.WriteFile(outside+"/secret", nil, 0o600))
	do(os.WriteFile(bottom+"/srv/gone", nil, 0o600), unix.Mknod(top+"/srv/gone", unix.S_IFCHR, 0),
		os.WriteFile(bottom+"/srv/f", []byte("old"), 0o600), os.WriteFile(top+"/srv/f", []byte("new"), 0o600),
		os.WriteFile(bottom+"/srv/sub/set", []byte("x"), 0o600), unix.Chown(bottom+"/srv/sub/set", 1, 2), unix.Chmod(bottom+"/srv/sub/set", 0o6755),
		os.Link(bottom+"/srv/sub/set", bottom+"/srv/hard"), os.Symlink("/etc/passwd", bottom+"/srv/soft"),
		unix.Mknod(bottom+"/srv/null", unix.S_IFCHR|0o644, int(unix.Mkdev(1, 3))), unix.Mkfifo(bottom+"/srv/fifo", 0o600),
		unix.Setxattr(bottom+"/srv/sub/set", "user.x", []byte("value"), 0),
		unix.Chown(top+"/srv", 33, 44), unix.Chmod(top+"/srv", 0o1770), os.Chtimes(bottom+"/srv/sub", time.Unix(1e9, 0), time.Unix(1e9, 0)),
		os.Symlink("/srv", bottom+"/link"), os.Symlink(outside, bottom+"/out"), os.WriteFile(bottom+"/file", nil, 0o600))
	layers := []string{top, bottom}
	v := create(t, s, engine.VolumeCreateOptions{Name: "v"})
	if err := CopyUp(t.Context(), v.Mountpoint, layers, "/link"); err != nil {
		t.Fatal(err)
	}
	stat := func(name string) (st unix.Stat_t) {
		t.Helper()
		do(unix.Lstat(filepath.Join(v.Mountpoint, name), &st))
		return st
	}
	list, err := os.ReadDir(v.Mountpoint)
	do(err)
	var got []string
	for _, e := range list {
		got = append(got, e.Name())
	}
	if want := []string{"f", "fifo", "hard", "null", "soft", "sub"}; !slices.Equal(got, want) {
		t.Errorf("there are %v, want %v", got, want)
	}
	if st := stat("."); st.Uid != 33 || st.Gid != 44 || st.Mode&0o7777 != 0o1770 {
		t.Errorf("the directory: %+v", st)
	}
	if st := stat("sub/set"); st.Uid != 1 || st.Gid != 2 || st.Mode&0o7777 != 0o6755 || st.Nlink != 2 || st.Ino != stat("hard").Ino {
		t.Errorf("sub/set: %+v", st)
	}
	if st := stat("null"); st.Rdev != unix.Mkdev(1, 3) || st.Mode != unix.S_IFCHR|0o644 {
		t.Errorf("null: %+v", st)
	}
	if st := stat("sub"); st.Mtim.Sec != 1e9 {
		t.Errorf("sub: %+v", st)
	}
	value := make([]byte, 10)
	if n, err := unix.Getxattr(v.Mountpoint+"/hard", "user.x", value); err != nil || string(value[:n]) != "value" {
		t.Errorf("attribute %q, %v", value[:max(n, 0)], err)
	}
	if text, err := os.ReadFile(v.Mountpoint + "/f"); err != nil || string(text) != "new" {
		t.Errorf("f is %q, %v", text, err)
	}
	// Not into one that has something.
	do(os.Remove(v.Mountpoint + "/f"))
	do(CopyUp(t.Context(), v.Mountpoint, layers, "/srv"))
	if _, err := os.Stat(v.Mountpoint + "/f"); err == nil {
		t.Error("a volume that is not empty was filled")
	}
	for path, want := range map[string]bool{"/link": true, "/srv/f": true, "/nosuch": false, "/file/x": false, "/out/secret": false} {
		if has, err := Has(t.Context(), layers, path); err != nil || has != want {
			t.Errorf("the image has %s: %v, %v", path, has, err)
		}
	}
	// Nothing from outside of the image, nor from what is no directory.
	for _, path := range []string{"/out", "/nosuch", "/file", "/../../outside"} {
		w := create(t, s, engine.VolumeCreateOptions{})
		do(CopyUp(t.Context(), w.Mountpoint, layers, path))
		if empty, err := isEmpty(w.Mountpoint); err != nil || !empty {
			t.Errorf("%s was copied: %v", path, err)
		}
	}
	// Cancelled, it leaves nothing.
	w := create(t, s, engine.VolumeCreateOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := CopyUp(ctx, w.Mountpoint, layers, "/srv"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if empty, err := isEmpty(w.Mountpoint); err != nil || !empty {
		t.Error("something was copied")
	}
}

func FuzzOptions(f *testing.F) {
	f.Add("ro,nosuid,size=1m,rshared,suid")
	f.Fuzz(func(t *testing.T, o string) {
		bits, _, data := parseOptions(o)
		if bits&unix.MS_REMOUNT != 0 || bits&unix.MS_MOVE != 0 {
			t.Errorf("%q: flags %x", o, bits)
		}
		for _, d := range data {
			if strings.Contains(d, ",") || d == "" {
				t.Errorf("%q: %q", o, data)
			}
		}
	})
}
