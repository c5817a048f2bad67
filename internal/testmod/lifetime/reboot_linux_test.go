package lifetime

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/berthdev/berth"
)

// reboot does what one does to the state directory: no process is left, what is below the
// run root belongs to another boot, or is gone. Interfaces and cgroups stay, which no reboot leaves: the harder case.
func (w *world) reboot(t *testing.T, kept bool) {
	t.Helper()
	for _, pid := range monitors(t) {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	eventually(t, "the end of all processes", func() error {
		if m := monitors(t); len(m) > 0 {
			return fmt.Errorf("monitors %v", m)
		}
		if m := members(w.everyID(t)); len(m) > 0 {
			return fmt.Errorf("processes of containers: %v", m)
		}
		return nil
	})
	if !kept {
		if err := os.RemoveAll(w.run); err != nil {
			t.Fatal(err)
		}
		return
	}
	boots, err := os.ReadDir(w.run)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range boots {
		if err := os.Rename(filepath.Join(w.run, b.Name()), filepath.Join(w.run, "00000000-0000-4000-8000-000000000000")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReboot: after a reboot all containers have exited, and the first program that opens the engine starts those whose restart policy says so.
func TestReboot(t *testing.T) {
	for _, kept := range []bool{false, true} {
		t.Run(fmt.Sprintf("run root kept %v", kept), func(t *testing.T) {
			w := newWorld(t)
			before := w.settled(t)
			cli := w.client(t)
			type one struct {
				policy        string
				stopped, runs bool
			}
			all := map[string]one{
				"none":    {"", false, false},
				"always":  {"always", false, true},
				"unless":  {"unless-stopped", false, true},
				"failure": {"on-failure", false, true},
				"stopped": {"always", true, false},
			}
			for name, o := range all {
				spec := sleeper(name)
				spec.RestartPolicy.Name = o.policy
				c, err := cli.Containers.Start(t.Context(), spec)
				if err != nil {
					t.Fatal(err)
				}
				if o.stopped {
					if err := c.Stop(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			created, err := cli.Containers.Create(t.Context(), sleeper("created"))
			if err != nil {
				t.Fatal(err)
			}
			w.reboot(t, kept)
			second := w.client(t)
			for name, o := range all {
				c, err := second.Containers.Get(t.Context(), name)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				st := c.Attrs().State
				switch {
				case o.runs:
					if st.Status != berth.StatusRunning {
						t.Errorf("%s: it is %+v", name, st)
					} else if err := c.Command("true").Run(t.Context()); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				case st.Status != berth.StatusExited || st.ExitCode != 137 || st.PID != 0:
					t.Errorf("%s: it is %+v", name, st)
				}
			}
			if st, err := created.Status(t.Context()); err != nil || st != berth.StatusCreated {
				t.Errorf("one that never ran is %v, %v", st, err)
			}
			for name := range all {
				remove(t, second, name)
			}
			remove(t, second, "created")
			w.nothingNew(t, before)
		})
	}
}

// TestRebootCut: a program that is killed while it starts what was running leaves the rest to the next ones.
func TestRebootCut(t *testing.T) {
	w := newWorld(t)
	before := w.settled(t)
	cli := w.client(t)
	const n = 6
	for i := range n {
		spec := sleeper(fmt.Sprint("again", i))
		spec.RestartPolicy.Name = "always"
		if _, err := cli.Containers.Start(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
	}
	w.reboot(t, false)
	// It is killed with its first monitor; those of the containers that it has started live on.
	p := w.spawn(t, "stop", "nosuch")
	eventually(t, "a monitor", func() error {
		if len(monitors(t)) == 0 {
			return fmt.Errorf("none yet")
		}
		return nil
	})
	p.kill()
	second := w.client(t)
	eventually(t, "all run again", func() error {
		next, err := connect(w.root, w.run)
		if err != nil {
			return err
		}
		defer next.Close()
		for i := range n {
			c, err := next.Containers.Get(t.Context(), fmt.Sprint("again", i))
			if err != nil {
				return err
			}
			if st := c.Attrs().State; st.Status != berth.StatusRunning {
				return fmt.Errorf("%s is %+v", c.Name(), st)
			}
		}
		return nil
	})
	for i := range n {
		remove(t, second, fmt.Sprint("again", i))
	}
	w.nothingNew(t, before)
}
