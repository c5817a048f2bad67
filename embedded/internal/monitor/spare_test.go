//go:build linux

package monitor

import (
	"context"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// monitorOf is the pid of a running container's monitor.
func (r *rig) monitorOf(id string) int {
	r.t.Helper()
	snap, err := r.Store.State(id)
	if err != nil || snap.Run == nil {
		r.t.Fatalf("state: %+v, %v", snap, err)
	}
	return snap.Run.Monitor
}

// TestNext: in a row of containers one monitor is that of one container after the other, and nothing of one is found in the next.
func TestNext(t *testing.T) {
	r := newRig(t)
	seen := map[int]int{}
	for n := range 12 {
		id := r.sh("echo $WORD; read x", func(c *state.Config, s *specs.Spec) {
			c.Spec.OpenStdin = true
			s.Process.Env = append(s.Process.Env, "WORD="+c.ID)
		})
		s := r.attach(id, engine.AttachOptions{Stdin: true, Stdout: true})
		w := r.waiter(id, engine.WaitNextExit)
		r.start(id)
		seen[r.monitorOf(id)]++
		if code, out, _ := r.exec(id, "/bin/echo", "x"); code != 0 || out != "x\n" {
			t.Errorf("exec %d: code %d, %q", n, code, out)
		}
		s.Write([]byte("\n"))
		if out, _ := r.read(s); out != id+"\n" {
			t.Errorf("container %d said %q, want %q", n, out, id)
		}
		s.Close()
		if code := r.code(w); code != 0 {
			t.Errorf("container %d: code %d", n, code)
		}
		r.remove(context.Background(), id)
		// What the next one would take is free a moment later.
		r.eventually("a monitor is free", func() bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			if n == 0 {
				return true
			}
			free, gone := r.kept[len(r.kept)-1].free(unix.MSG_PEEK)
			return free || gone
		})
	}
	if len(seen) > 3 {
		t.Errorf("the monitors of 12 containers in a row were %v: hardly one was the next one's", seen)
	}
}
