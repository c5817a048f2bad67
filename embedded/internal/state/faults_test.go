//go:build linux

package state

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// private gives the calling goroutine a mount namespace of its own, on a thread that ends with it.
func private(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	must(t, unix.Unshare(unix.CLONE_NEWNS|unix.CLONE_FS))
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
}

// inPrivate runs f on a thread with a mount namespace of its own, which ends with it.
func inPrivate(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		private(t)
		f()
	}()
	<-done
}

func TestReadOnlyStore(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	id := create(t, s, "one")
	inPrivate(t, func() {
		root := filepath.Join(dir, "root")
		must(t, unix.Mount(root, root, "", unix.MS_BIND, ""))
		must(t, unix.Mount("", root, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""))
		s, err := Open(root, filepath.Join(dir, "run"))
		if err != nil {
			t.Errorf("open: %v", err)
			return
		}
		if list, err := s.List(); err != nil || len(list) != 1 {
			t.Errorf("list: %v %v", list, err)
		}
		unlock, err := s.Lock(t.Context(), id)
		if err != nil {
			t.Errorf("lock: %v", err)
			return
		}
		defer unlock()
		for what, err := range map[string]error{
			"create": s.Create(testConfig("two"), &specs.Spec{}, nil), "rename": s.Rename(id, "two"), "remove": s.Remove(id),
			"exit": s.WriteExit(id, &Exit{}), "config": s.WriteConfig(testConfigOf(id)),
		} {
			if !errors.Is(err, unix.EROFS) || !strings.Contains(err.Error(), root) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := Open(filepath.Join(root, "new"), filepath.Join(dir, "run")); !errors.Is(err, unix.EROFS) {
			t.Errorf("open of a new one: %v", err)
		}
	})
	mustRemove(t, s, id)
	wantEmpty(t, s)
}

func testConfigOf(id string) *Config {
	cfg := testConfig("one")
	cfg.ID = id
	return cfg
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	inPrivate(t, func() {
		must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"))
		s, err := Open(filepath.Join(dir, "root"), filepath.Join(dir, "run"))
		if err != nil {
			t.Error(err)
			return
		}
		id := create(t, s, "one")
		before := tree(t, s)
		big := map[string]File{"hosts": {Data: make([]byte, 512<<10), Mode: 0o644}}
		for range 2 {
			if err := s.Create(testConfig("two"), &specs.Spec{}, big); !errors.Is(err, unix.ENOSPC) {
				t.Errorf("create: %v", err)
			}
		}
		fill, err := os.Create(filepath.Join(dir, "fill"))
		if err != nil {
			t.Error(err)
			return
		}
		for err == nil {
			_, err = fill.Write(make([]byte, 4096))
		}
		fill.Close()
		started := time.Now()
		must(t, s.mark(id, started))
		if snap, err := s.State(id); err != nil || snap.Exit == nil || !snap.Exit.MonitorLost {
			t.Errorf("started: %+v %v", snap, err)
		}
		for code := range 2 { // the second takes the place of the first
			must(t, s.WriteExit(id, &Exit{Code: code, StartedAt: started, FinishedAt: started, Error: strings.Repeat("x", 8192>>(4*code))}))
			exit, err := s.ReadExit(id)
			must(t, err)
			snap, err := s.State(id)
			must(t, err)
			if exit.Code != code || snap.Exit.Code != code || snap.Exit.MonitorLost || snap.Status() != engine.StatusExited {
				t.Errorf("its end: %+v %+v", exit, snap.Exit)
			}
		}
		cfg, err := s.Config(id)
		if err != nil {
			t.Error(err)
			return
		}
		cfg.Args = []string{strings.Repeat("x", 8192)}
		for what, err := range map[string]error{
			"create": s.Create(testConfig("two"), &specs.Spec{}, nil), "config": s.WriteConfig(cfg), "rename": s.Rename(id, "two"),
			"exit": s.WriteExit(id, &Exit{Error: strings.Repeat("x", 8192)}),
		} {
			if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), id[:12]) && what != "create" {
				t.Errorf("%s: %v", what, err)
			}
		}
		if got, err := s.Find("one"); got != id {
			t.Error(got, err)
		}
		if after := tree(t, s); strings.Join(after, "\n") != strings.Join(before, "\n") {
			t.Errorf("before:\n%s\nafter:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
		}
		must(t, s.mark(id, started.Add(1))) // a run after that has not ended
		if snap, err := s.State(id); err != nil || !snap.Exit.MonitorLost {
			t.Errorf("started again: %+v %v", snap, err)
		}
		mustRemove(t, s, id) // makes room, and needs none
		wantEmpty(t, s)
	})
}

// What is mounted below a container's directory is not the container's to remove.
func TestRemoveSparesMounts(t *testing.T) {
	s := open(t)
	id := create(t, s, "one")
	victim := t.TempDir()
	touch(t, filepath.Join(victim, "precious"))
	inPrivate(t, func() {
		must(t, unix.Mount(victim, s.Dir(id)+"/work", "", unix.MS_BIND, ""))
		touch(t, s.Dir(id)+"/upper/file")
		touch(t, filepath.Join(victim, "file"))
		must(t, unix.Mount(filepath.Join(victim, "file"), s.Dir(id)+"/upper/file", "", unix.MS_BIND, ""))
		err := s.Remove(id)
		if !errors.Is(err, unix.EXDEV) || !errors.Is(err, unix.EBUSY) || !strings.Contains(err.Error(), "work is a mount point") {
			t.Errorf("remove: %v", err)
		}
		if _, err := s.State(id); err == nil {
			t.Error("the container is still there")
		}
		if _, err := os.Stat(filepath.Join(victim, "precious")); err != nil {
			t.Error(err)
		}
		create(t, s, "two") // is not hindered
	})
	if _, err := os.Stat(filepath.Join(victim, "precious")); err != nil {
		t.Error(err)
	}
	must(t, s.sweep())
	if exists(s.path(containersDir, deadDir, id)) {
		t.Error("it was not tried again")
	}
}

func TestRemoveTree(t *testing.T) {
	dir := t.TempDir()
	top := filepath.Join(dir, "top")
	outside := filepath.Join(dir, "outside")
	must(t, os.Mkdir(outside, 0o755))
	touch(t, filepath.Join(outside, "precious"))

	// A link to elsewhere, a whiteout, a directory without permissions, and a tree deeper than PATH_MAX.
	must(t, os.MkdirAll(filepath.Join(top, "work", "work"), 0o755))
	must(t, os.Symlink(outside, filepath.Join(top, "link")))
	must(t, unix.Mknod(filepath.Join(top, "whiteout"), unix.S_IFCHR, 0))
	must(t, os.Chmod(filepath.Join(top, "work", "work"), 0))
	deep(t, top, 200)
	must(t, removeTree(top))
	must(t, removeTree(top))
	must(t, removeTree(filepath.Join(top, "not", "there")))
	if names, _ := readNames(dir); len(names) != 1 {
		t.Errorf("left: %q", names)
	}
	if !exists(filepath.Join(outside, "precious")) {
		t.Error("it followed a link")
	}
	touch(t, top)
	must(t, removeTree(top)) // a file
}

// deep makes a chain of n directories below dir.
func deep(t *testing.T, dir string, n int) {
	t.Helper()
	fd, err := unix.Open(dir, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	must(t, err)
	name := strings.Repeat("d", 100)
	for range n {
		must(t, unix.Mkdirat(fd, name, 0o755))
		next, err := unix.Openat(fd, name, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		must(t, err)
		unix.Close(fd)
		fd = next
	}
	unix.Close(fd)
}
