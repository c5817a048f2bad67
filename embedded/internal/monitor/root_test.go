//go:build linux

package monitor

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/launch"
	"github.com/berthdev/berth/engine"
)

// TestRootOnce: a container that is started again at once finds what it has written, though a monitor unmounts its root only after it
// has told of the end; and whoever starts it waits until nobody has the root mounted.
func TestRootOnce(t *testing.T) {
	r := newRig(t)
	id := r.sh("echo run >>/runs; [ -e /short ] || exec sleep 1000", nil)
	upper := func(name string) string { return r.Store.Dir(id) + "/upper/" + name }
	if err := os.WriteFile(upper("short"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	const runs = 20
	for range runs {
		w := r.waiter(id, engine.WaitNextExit)
		r.start(id)
		if code := r.code(w); code != 0 {
			t.Fatalf("code %d", code)
		}
	}
	if data, err := os.ReadFile(upper("runs")); err != nil || bytes.Count(data, []byte("run\n")) != runs {
		t.Errorf("%d runs have written %q, %v", runs, data, err)
	}
	if !launch.MountsOverlay() {
		return // the first process mounts it, and its end is the mount's
	}
	work, err := os.Open(r.Store.Dir(id) + "/work")
	if err != nil {
		t.Fatal(err)
	}
	defer work.Close()
	lock := func() error { return unix.Flock(int(work.Fd()), unix.LOCK_EX|unix.LOCK_NB) }
	r.eventually("the root is unmounted", func() bool { return lock() == nil })
	var st unix.Stat_t
	if err := errors.Join(os.Remove(upper("short")), unix.Fstat(int(work.Fd()), &st)); err != nil {
		t.Fatal(err)
	}
	started := make(chan error)
	go func() { started <- r.Start(t.Context(), id, engine.StartOptions{}) }()
	r.eventually("a start waits for the root", func() bool {
		locks, _ := os.ReadFile("/proc/locks")
		for l := range strings.Lines(string(locks)) {
			if strings.Contains(l, "-> FLOCK") && strings.Contains(l, fmt.Sprintf(":%d ", st.Ino)) {
				return true
			}
		}
		return false
	})
	if s := r.status(id); s == engine.StatusRunning {
		t.Error("it runs, and another has its root")
	}
	if err := errors.Join(unix.Flock(int(work.Fd()), unix.LOCK_UN), <-started); err != nil {
		t.Fatal(err)
	}
	if err := lock(); err != unix.EWOULDBLOCK {
		t.Errorf("it runs, and nobody has its root locked: %v", err)
	}
	w := r.waiter(id, engine.WaitNextExit)
	if err := r.Kill(t.Context(), id, "KILL"); err != nil {
		t.Error(err)
	}
	r.code(w)
	r.eventually("the root is unmounted", func() bool { return lock() == nil })
}
