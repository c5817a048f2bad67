//go:build linux

package monitor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// dying kills the container's monitor as a kernel does that has much to do: the connections have ended, and the lock
// is held until release is called.
func (r *rig) dying(id string) (release func()) {
	r.t.Helper()
	return r.dyingWith(id, filepath.Join(r.Store.RunDir(id), "monitor.lock"))
}

// dyingWith is dying with another lock.
func (r *rig) dyingWith(id, path string) (release func()) {
	r.t.Helper()
	run, err := r.Store.ReadRun(id)
	if err != nil {
		r.t.Fatal(err)
	}
	pidfd, err := unix.PidfdOpen(run.Monitor, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	defer unix.Close(pidfd)
	lock := -1
	links, _ := filepath.Glob("/proc/" + strconv.Itoa(run.Monitor) + "/fd/*")
	for _, l := range links {
		if to, _ := os.Readlink(l); to == path {
			n, _ := strconv.Atoi(filepath.Base(l))
			lock, err = unix.PidfdGetfd(pidfd, n, 0)
		}
	}
	if err != nil || lock < 0 {
		r.t.Fatalf("the monitor's lock %s: descriptor %d, %v", path, lock, err)
	}
	if err := unix.PidfdSendSignal(pidfd, syscall.SIGKILL, nil, 0); err != nil {
		r.t.Fatal(err)
	}
	r.eventually("the monitor's death", func() bool { return dead(run.Monitor) })
	release = sync.OnceFunc(func() { unix.Close(lock) })
	r.t.Cleanup(release)
	return release
}

// TestDying: a monitor that was killed and holds its lock for a while yet is neither gone nor another one's predecessor: its container's end
// is recorded, and what it has left removed, before anything else.
func TestDying(t *testing.T) {
	const while = 600 * time.Millisecond
	t.Run("wait", func(t *testing.T) {
		r := newRig(t)
		id := r.sleeper()
		w := r.waiter(id, engine.WaitNotRunning)
		release := r.dying(id)
		defer time.AfterFunc(while, release).Stop()
		if code := r.code(w); code != 137 {
			t.Errorf("code %d", code)
		}
	})
	t.Run("attach", func(t *testing.T) {
		r := newRig(t)
		id := r.sleeper()
		release := r.dying(id)
		defer time.AfterFunc(while, release).Stop()
		if _, err := r.Attach(t.Context(), id, all); !errors.Is(err, engine.ErrNotRunning) {
			t.Errorf("attach: %v", err)
		}
	})
	t.Run("stop", func(t *testing.T) {
		r := newRig(t)
		id := r.sleeper()
		release := r.dying(id)
		defer time.AfterFunc(while, release).Stop()
		if err := r.Stop(t.Context(), id, engine.StopOptions{}); err != nil {
			t.Errorf("stop: %v", err)
		}
		if _, err := os.Lstat(r.Store.RunDir(id)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the run directory is left: %v", err)
		}
		if e, err := r.Store.ReadExit(id); err != nil || e == nil || e.Code != 137 || !e.MonitorLost {
			t.Errorf("exit.json is %+v, %v", e, err)
		}
	})
	t.Run("network", func(t *testing.T) {
		r := newRig(t)
		id := r.sleeper()
		path := filepath.Join(r.Store.RunRoot(), "net", "containers", id+".lock")
		release := r.dyingWith(id, path)
		ctx, cancel := context.WithTimeout(t.Context(), while/4)
		defer cancel()
		if err := r.Stop(ctx, id, engine.StopOptions{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while it holds the networks: %v", err)
		}
		defer time.AfterFunc(while, release).Stop()
		if err := r.Stop(t.Context(), id, engine.StopOptions{}); err != nil {
			t.Errorf("stop: %v", err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the lock's file is left: %v", err)
		}
	})
	// Closing the wait ends it, also when the monitor has died.
	t.Run("close", func(t *testing.T) {
		r := newRig(t)
		id := r.sleeper()
		w := r.waiter(id, engine.WaitNotRunning)
		release := r.dying(id)
		defer time.AfterFunc(while, func() { w.Close() }).Stop()
		if _, err := w.Wait(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("wait: %v", err)
		}
		release()
	})
	// The lock is free now, after it has been found held: that moment cannot be hit from outside.
	t.Run("then", func(t *testing.T) {
		r := newRig(t)
		id := r.sleeper()
		r.dying(id)()
		if err := r.absent(id); err != errAgain {
			t.Errorf("a call that starts no monitor: %v", err)
		}
		if m, err := r.spawn(t.Context(), id); !errors.Is(err, engine.ErrConflict) {
			if err == nil {
				r.letGo(m)
			}
			t.Errorf("a monitor after one that has died: %v", err)
		}
		r.start(id)
		if e, err := r.Store.ReadExit(id); err != nil || e == nil || e.Code != 137 || !e.MonitorLost {
			t.Errorf("exit.json is %+v, %v", e, err)
		}
	})
}
