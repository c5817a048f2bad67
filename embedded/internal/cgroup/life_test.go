//go:build linux

package cgroup

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestFreeze: a frozen group stands still, can be killed, and goes on when it is thawed.
func TestFreeze(t *testing.T) {
	g := newGroup(t, nil)
	out := t.TempDir() + "/out"
	cmd := running(t, g, "sh", "-c", "echo ready; while :; do echo x >>"+out+"; sleep 0.01; done")
	size := func() int64 {
		fi, err := os.Stat(out)
		if err != nil {
			return 0
		}
		return fi.Size()
	}
	grows := func(within time.Duration) bool {
		for end, before := time.Now().Add(within), size(); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if size() > before {
				return true
			}
		}
		return false
	}
	for range 5 {
		if err := g.Freeze(t.Context()); err != nil {
			t.Fatal(err)
		}
		if frozen, err := g.Frozen(); err != nil || !frozen {
			t.Fatal("not frozen", err)
		}
		if grows(100 * time.Millisecond) {
			t.Error("it goes on")
		}
		if err := g.Thaw(t.Context()); err != nil {
			t.Fatal(err)
		}
		if frozen, err := g.Frozen(); err != nil || frozen {
			t.Error("still frozen", err)
		}
		if !grows(20 * time.Second) {
			t.Error("it does not go on")
		}
	}
	if err := g.Freeze(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := g.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %v", err)
	}
}

// TestFreezeCancelled: where ctx has ended, nothing stays frozen.
func TestFreezeCancelled(t *testing.T) {
	g := newGroup(t, nil)
	running(t, g, "sh", "-c", "echo ready; exec sleep 1000")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Freeze(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	} else if frozen, e := g.Frozen(); e != nil || frozen != (err == nil) {
		t.Errorf("frozen: %v, %v, after %v", frozen, e, err)
	}
	if err := g.Thaw(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestKill: processes that make new ones all the time, in groups of their own.
func TestKill(t *testing.T) {
	g := newGroup(t, pids(200))
	cmd := running(t, g, "sh", "-c", "echo ready; while :; do (while :; do sleep 0.001 & done) & sleep 0.01; done 2>&-")
	if err := g.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		left, err := g.PIDs()
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("processes %v are left", left)
		}
	}
}

// TestRemoveWaits: Remove waits for processes, and for no longer than its context.
func TestRemoveWaits(t *testing.T) {
	g := newGroup(t, nil)
	cmd := running(t, g, "sh", "-c", "echo ready; exec sleep 1000")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := g.Remove(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, syscall.EBUSY) {
		t.Errorf("of a group with a process: %v", err)
	}
	done := make(chan error)
	go func() { done <- g.Remove(t.Context()) }()
	time.Sleep(20 * time.Millisecond)
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	cmd.Wait()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if g.Exists() {
		t.Error("it is still there")
	}
}

// TestOOM: the kills are counted and told.
func TestOOM(t *testing.T) {
	g := newGroup(t, &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(16 * mib))}})
	if n, err := g.OOMKills(); err != nil || n != 0 {
		t.Fatalf("%d kills at first: %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told, ended := make(chan uint64, 10), make(chan error, 1)
	go func() { ended <- g.WatchOOM(ctx, func(kills uint64) { told <- kills }) }()
	time.Sleep(50 * time.Millisecond) // for the watch to begin
	for want := uint64(1); want <= 2; want++ {
		// One process that wants 200 MiB at once.
		if err := in(t, g, "dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1").Run(); err == nil {
			t.Fatal("it got its memory")
		}
		select {
		case kills := <-told:
			if kills != want {
				t.Errorf("%d kills were told, want %d", kills, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("nothing was told")
		}
		if n, err := g.OOMKills(); err != nil || n != want {
			t.Errorf("%d kills, want %d: %v", n, want, err)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if len(told) != 0 {
		t.Errorf("told again: %d", <-told)
	}
}

// TestWatchRemoved: a watch ends with its group on v1, and in any case with its context.
func TestWatchRemoved(t *testing.T) {
	g := newGroup(t, nil)
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { ended <- g.WatchOOM(ctx, func(uint64) { t.Error("told without cause") }) }()
	time.Sleep(50 * time.Millisecond) // for the watch to begin
	if err := g.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v2Alone() {
		cancel()
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the watch goes on")
	}
}

// TestStartIn: a child is born in the group, and this process stays where it is.
func TestStartIn(t *testing.T) {
	g := named(t)
	before := ownGroups(t)
	var out strings.Builder
	err := StartIn(g.path, func(fd int) error {
		cmd := exec.Command("cat", "/proc/self/cgroup")
		cmd.Stdout = &out
		if fd > 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: fd}
		}
		return cmd.Run()
	})
	if err != nil {
		t.Fatal(err)
	}
	was := strings.Split(strings.TrimSpace(before), "\n")
	for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		// In the root of v1 nothing is to be left.
		if !strings.HasSuffix(line, g.path) && (line != was[i] || !strings.HasSuffix(line, ":/") || strings.HasPrefix(line, "0:")) {
			t.Errorf("not in the group: %s, from %s", line, was[i])
		}
	}
	if after := ownGroups(t); after != before {
		t.Errorf("we were in\n%sand are in\n%s", before, after)
	}
	failed := errors.New("failed")
	if err := StartIn(g.path, func(int) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("the error is %v", err)
	}
}

// TestMoveSelf: a process with several threads moves as a whole.
func TestMoveSelf(t *testing.T) {
	if os.Getenv("BERTH_TEST_MOVE") != "" {
		if err := MoveSelf(os.Getenv("BERTH_TEST_MOVE")); err != nil {
			t.Fatal(err)
		}
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range tasks {
			b, err := os.ReadFile("/proc/self/task/" + e.Name() + "/cgroup")
			if err != nil {
				continue // it has ended
			}
			os.Stdout.Write(append(b, '\n'))
		}
		return
	}
	g := named(t)
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestMoveSelf$")
	cmd.Env = append(os.Environ(), "BERTH_TEST_MOVE="+g.path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	threads := strings.Count(string(out), "\n\n")
	if n := strings.Count(string(out), g.path+"\n"); threads == 0 || n != threads*len(g.dirs) {
		t.Errorf("%d of %d threads in %d hierarchies: %s", n, threads, len(g.dirs), out)
	}
}

func ownGroups(t *testing.T) string {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
