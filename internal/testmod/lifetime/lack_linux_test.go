package lifetime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/embedded"
	"github.com/berthdev/berth/internal/testenv"
)

// small mounts a file system of this size on a directory of its own, for the time of the test.
func small(t *testing.T, size string) string {
	t.Helper()
	dir := testenv.StateDir(t)
	full := filepath.Join(dir, "small")
	if err := os.Mkdir(full, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("small", full, "tmpfs", 0, "size="+size); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		eventually(t, "unmount", func() error { return unix.Unmount(full, 0) })
	})
	return full
}

// TestFullDisk: on a full disk calls fail with that for a reason, a container that runs goes
// on and ends as it does, everything can be removed, and when there is room again all is as before.
func TestFullDisk(t *testing.T) {
	needEmbedded(t)
	w := newWorldIn(t, small(t, "16m"))
	before := w.settled(t)
	cli := w.client(t)
	runs, err := cli.Containers.Start(t.Context(), sleeper("runs"))
	if err != nil {
		t.Fatal(err)
	}
	rest, err := cli.Containers.Create(t.Context(), sleeper("rests"))
	if err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(w.root, "ballast")
	fill := func() {
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for _, size := range []int{1 << 20, 4096, 1} {
			for err = nil; err == nil; {
				_, err = f.Write(make([]byte, size))
			}
			if !errors.Is(err, unix.ENOSPC) {
				t.Fatal(err)
			}
		}
	}
	fill()
	full := func(what string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s: it was done", what)
		} else if !errors.Is(err, unix.ENOSPC) && !strings.Contains(err.Error(), unix.ENOSPC.Error()) {
			t.Errorf("%s: %v, want %v", what, err, unix.ENOSPC)
		}
	}
	_, err = cli.Containers.Create(t.Context(), sleeper("new"))
	full("create", err)
	_, err = cli.Images.Import(t.Context(), testenv.Busybox(t), berth.ImportOptions{Reference: "second:latest"})
	full("import", err)
	_, err = cli.Volumes.Create(t.Context(), berth.VolumeCreateOptions{Name: "new"})
	full("create volume", err)
	_, err = cli.Networks.Create(t.Context(), berth.NetworkCreateOptions{Name: "new"})
	full("create network", err)
	if err := rest.Start(t.Context()); err != nil {
		full("start", err) // it may go well, too: what it needs was made when it was created
	}
	if out, err := runs.Command("echo", "here").Output(t.Context()); err != nil || string(out) != "here\n" {
		t.Errorf("exec: %q, %v", out, err)
	}
	for _, name := range []string{"new"} {
		if ok, err := cli.Containers.Exists(t.Context(), name); ok || err != nil {
			t.Errorf("the container %s is there: %v, %v", name, ok, err)
		}
	}
	if err := runs.Stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
	if a, err := runs.Inspect(t.Context()); err != nil || a.State.Status != berth.StatusExited || a.State.ExitCode != 137 {
		t.Errorf("the one that was stopped: %+v, %v", a.State, err)
	}
	remove(t, cli, "runs")
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	remove(t, cli, "rests")
	for _, create := range []func() error{
		func() error { _, err := cli.Containers.Start(t.Context(), sleeper("new")); return err },
		func() error {
			_, err := cli.Volumes.Create(t.Context(), berth.VolumeCreateOptions{Name: "new"})
			return err
		},
		func() error {
			_, err := cli.Networks.Create(t.Context(), berth.NetworkCreateOptions{Name: "new"})
			return err
		},
	} {
		if err := create(); err != nil {
			t.Errorf("with room again: %v", err)
		}
	}
	remove(t, cli, "new")
	if err := errors.Join(cli.Volumes.Remove(t.Context(), "new"), cli.Networks.Remove(t.Context(), "new")); err != nil {
		t.Error(err)
	}
	w.nothingNew(t, before)
}

// TestReadOnly: a state directory that cannot be written to can be read. What would write says why it does not.
func TestReadOnly(t *testing.T) {
	needEmbedded(t)
	dir := small(t, "16m")
	w := newWorldIn(t, dir)
	cli := w.client(t)
	if _, err := cli.Containers.Create(t.Context(), sleeper("there")); err != nil {
		t.Fatal(err)
	}
	before := w.settled(t)
	flags := func(flags uintptr) {
		t.Helper()
		eventually(t, "mount", func() error { return unix.Mount("", dir, "", unix.MS_REMOUNT|flags, "") })
	}
	flags(unix.MS_RDONLY)
	ro := w.client(t)
	list, err := ro.Containers.List(t.Context(), berth.ListOptions{All: true})
	if err != nil || len(list) != 1 {
		t.Errorf("list: %v, %v", list, err)
	}
	for _, c := range list {
		if a, err := c.Inspect(t.Context()); err != nil || a.State.Status != berth.StatusCreated {
			t.Errorf("inspect: %+v, %v", a, err)
		}
		refused(t, "start", c.Start(t.Context()))
		refused(t, "remove", c.Remove(t.Context()))
		refused(t, "rename", c.Rename(t.Context(), "new"))
	}
	_, err = ro.Containers.Create(t.Context(), sleeper("new"))
	refused(t, "create", err)
	_, err = ro.Volumes.Create(t.Context(), berth.VolumeCreateOptions{Name: "new"})
	refused(t, "create volume", err)
	_, err = open(filepath.Join(dir, "none"), filepath.Join(dir, "run"))
	refused(t, "open a new one", err)
	flags(0)
	w.nothingNew(t, before)
	remove(t, cli, "there")
}

// refused fails unless err says that the file system is read-only.
func refused(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: it was done", what)
	} else if !strings.Contains(err.Error(), unix.EROFS.Error()) {
		t.Errorf("%s: %v, want %v", what, err, unix.EROFS)
	}
}

// TestOnOverlay: overlay cannot write to an overlay. That is said, and nothing is left of the attempt.
func TestOnOverlay(t *testing.T) {
	needEmbedded(t)
	dir := testenv.StateDir(t)
	on := filepath.Join(dir, "on")
	for _, d := range []string{"lower", "upper", "work", "on"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	options := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", dir)
	if err := unix.Mount("overlay", on, "overlay", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		eventually(t, "unmount", func() error { return unix.Unmount(on, 0) })
	})
	w := &world{t: t, root: filepath.Join(on, "root"), run: filepath.Join(on, "run")}
	e, err := embedded.Open(t.Context(), embedded.WithRoot(w.root), embedded.WithRunRoot(w.run))
	if err == nil {
		e.Close()
		w = newWorldIn(t, on)
		cli := w.client(t)
		_, err = cli.Containers.Run(context.WithoutCancel(t.Context()), sleeperThatEnds())
		if list, err := cli.Containers.List(t.Context(), berth.ListOptions{All: true}); err != nil || len(list) > 0 {
			t.Errorf("it has left containers: %v, %v", list, err)
		}
	}
	if err == nil {
		t.Fatal("a container ran with an upper directory on overlay")
	}
	for _, word := range []string{"overlay", on} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not tell of %s: %v", word, err)
		}
	}
}
