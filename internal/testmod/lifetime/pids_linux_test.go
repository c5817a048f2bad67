package lifetime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth"
)

func init() {
	// pids N GROUP NAME: runs a container where there may be N processes and threads more than there are, fewer if it is negative.
	jobs["pids"] = func(ctx context.Context, cli *berth.Client, _ func(string), args []string) error {
		more, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(args[1], "cgroup.procs"), []byte("0"), 0); err != nil {
			return err
		}
		text, err := os.ReadFile(filepath.Join(args[1], "pids.current"))
		if err != nil {
			return err
		}
		now, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(args[1], "pids.max"), []byte(strconv.Itoa(now+more)), 0); err != nil {
			return err
		}
		return runAndRemove(ctx, cli, args[2])
	}
}

// pidsGroup makes a cgroup with the controller pids, removed with the test.
func pidsGroup(t *testing.T) string {
	t.Helper()
	for _, parent := range []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
		dir := filepath.Join(parent, fmt.Sprintf("berth-test-%d", os.Getpid()))
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "pids.max")); err == nil {
			t.Cleanup(func() {
				// A container below it makes it in the other hierarchies too, where it stays, as with Docker.
				all, _ := filepath.Glob("/sys/fs/cgroup/*/" + filepath.Base(dir))
				for _, d := range append(all, dir) {
					eventually(t, "remove the cgroup", func() error {
						if err := os.Remove(d); !errors.Is(err, os.ErrNotExist) {
							return err
						}
						return nil
					})
				}
			})
			return dir
		}
		os.Remove(dir)
	}
	t.Fatal("there is no cgroup controller pids")
	return ""
}

// TestFewProcesses: a program that may make no more processes starts containers all the same, as their monitors are in a
// cgroup of their own. Where the containers' parent may have no more, the start says so or the container runs.
func TestFewProcesses(t *testing.T) {
	w := newWorld(t)
	before := w.settled(t)
	cli := w.client(t)
	group := pidsGroup(t)
	limit := func(what string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(group, "pids.max"), []byte(what), 0); err != nil {
			t.Fatal(err)
		}
	}
	for n := -4; n < 4; n++ { // threads end meanwhile, which makes room
		limit("max")
		name := fmt.Sprint("pids", n+4)
		p := w.start(t, "pids", fmt.Sprint(n), group, name)
		p.begin()
		kind, text := p.end()
		// That the program itself may have no thread more is the Go runtime's to tell.
		if kind != "ok" && !noThread(text) {
			t.Errorf("%d: %s: %s", n, kind, text)
		}
		if err := cli.Containers.Remove(t.Context(), name, berth.RemoveOptions{Force: true}); err != nil && !errors.Is(err, berth.ErrNotFound) {
			t.Errorf("%d: remove: %v", n, err)
		}
	}
	for _, n := range []string{"0", "1", "2"} {
		limit(n)
		spec := sleeper("below")
		spec.CgroupParent = filepath.Base(group)
		c, err := cli.Containers.Create(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(t.Context()); err == nil {
			err = c.Command("true").Run(t.Context())
			if err == nil && n != "2" || err != nil && !strings.Contains(err.Error(), unix.EAGAIN.Error()) {
				t.Errorf("exec where there may be %s: %v", n, err)
			}
			if st, err := c.Status(t.Context()); err != nil || st != berth.StatusRunning {
				t.Errorf("it is %v, %v", st, err)
			}
		} else if a, ierr := c.Inspect(t.Context()); !strings.Contains(err.Error(), unix.EAGAIN.Error()) || ierr != nil || a.State.Status != berth.StatusCreated && a.State.Status != berth.StatusExited {
			t.Errorf("start where there may be %s: %v; it is %v, %v", n, err, a, ierr)
		}
		remove(t, cli, "below")
	}
	w.nothingNew(t, before)
}

// noThread tells that a program had no thread more, by the words of Go's runtime, with cgo or without.
func noThread(text string) bool {
	return strings.Contains(text, "failed to create new OS thread") || strings.Contains(text, "pthread_create failed")
}

// TestUserLimit: a user who has as many processes as he may (RLIMIT_NPROC) gets no container and no command more, and is
// told why; so does a container that has as many as it may. What runs goes on.
func TestUserLimit(t *testing.T) {
	w := newWorld(t)
	before := w.settled(t)
	cli := w.client(t)
	of := func(name string) berth.Spec {
		spec := sleeper(name)
		spec.User = "4242"
		return spec
	}
	spec := of("first")
	spec.Command = berth.Shell("sleep 1000 & sleep 1000")
	first, err := cli.Containers.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "two processes", func() error {
		if top, err := first.Top(t.Context()); err != nil || len(top.Processes) < 2 {
			return fmt.Errorf("%v, %v", top, err)
		}
		return nil
	})
	limited := of("limited")
	limited.Ulimits = []berth.Ulimit{{Name: "nproc", Soft: 1, Hard: 1}}
	if _, err := cli.Containers.Start(t.Context(), limited); err == nil || !strings.Contains(err.Error(), unix.EAGAIN.Error()) {
		t.Errorf("start at the user's limit: %v", err)
	}
	if ok, err := cli.Containers.Exists(t.Context(), "limited"); err != nil {
		t.Error(err)
	} else if ok {
		remove(t, cli, "limited")
	}
	spec = sleeper("one")
	spec.Resources.PidsLimit = new(int64(1))
	one, err := cli.Containers.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := one.Command("true").Run(t.Context()); err == nil || !strings.Contains(err.Error(), unix.EAGAIN.Error()) {
		t.Errorf("exec at the container's limit: %v", err)
	}
	for _, c := range []*berth.Container{first, one} {
		if st, err := c.Status(t.Context()); err != nil || st != berth.StatusRunning {
			t.Errorf("%s is %v, %v", c.Name(), st, err)
		}
	}
	remove(t, cli, "first")
	remove(t, cli, "one")
	w.nothingNew(t, before)
}
