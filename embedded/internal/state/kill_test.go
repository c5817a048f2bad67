//go:build linux

package state

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

func init() {
	roles["die"] = func(args []string) { // DIR what ID N: is killed before the N-th step of what
		s, err := Open(filepath.Join(args[0], "root"), filepath.Join(args[0], "run"))
		if err != nil {
			panic(err)
		}
		left, _ := strconv.Atoi(args[3])
		s.step = func(name string) {
			if left--; left < 0 {
				os.Stdout.WriteString(name)
				unix.Kill(os.Getpid(), unix.SIGKILL)
				select {}
			}
		}
		if err := changes[args[1]](s, args[2]); err != nil {
			panic(err)
		}
	}
}

// started is the StartedAt of all runs here.
var started = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

// changes are what a process does until it is killed.
var changes = map[string]func(s *Store, id string) error{
	"create": func(s *Store, id string) error {
		cfg := testConfig("new")
		cfg.ID = id
		return s.Create(cfg, &specs.Spec{Version: "1.0.2"}, map[string]File{"hosts": {Data: []byte("x"), Mode: 0o644}})
	},
	"rename": func(s *Store, id string) error { return s.Rename(id, "new") },
	"remove": func(s *Store, id string) error { return s.Remove(id) },
	"write": func(s *Store, id string) error {
		cfg, err := s.Config(id)
		if err != nil {
			return err
		}
		cfg.StoppedByUser = true
		return s.WriteConfig(cfg)
	},
	"run": func(s *Store, id string) error {
		f, err := s.HoldMonitor(id)
		if err != nil {
			return err
		}
		defer f.Close()
		l, err := s.ListenMonitor(id)
		if err != nil {
			return err
		}
		defer l.Close()
		if err := s.WriteRun(id, &Run{Status: engine.StatusRunning, StartedAt: started}); err != nil {
			return err
		}
		if err := s.WriteExit(id, &Exit{Code: 7, StartedAt: started, FinishedAt: started.Add(time.Hour)}); err != nil {
			return err
		}
		return s.RemoveRun(id)
	},
}

// dieIn runs what in another process up to its n-th step and tells that step's name; "" when it came to its end.
func dieIn(t *testing.T, dir, what, id string, n int) (step string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "die", dir, what, id, strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err == nil {
		return ""
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if ok {
		if ws := exit.Sys().(syscall.WaitStatus); ws.Signaled() && ws.Signal() == syscall.SIGKILL {
			return string(out)
		}
	}
	t.Fatalf("%s: %v", what, err)
	return ""
}

// eachDeath kills what at each of its steps, and gives check the store: as a
// process sees it that has had it open all the time, and as one that opens it then.
func eachDeath(t *testing.T, what string, check func(t *testing.T, s *Store, id, step string)) {
	over := false
	for n := 0; !over; n++ {
		for _, reopen := range []bool{false, true} {
			dir := t.TempDir()
			s := openAt(t, dir)
			id := NewID()
			if what != "create" {
				id = create(t, s, "old")
				_, err := s.List() // it knows them
				must(t, err)
			}
			step := dieIn(t, dir, what, id, n)
			over = step == ""
			t.Run(fmt.Sprintf("%d %s reopen=%v", n, step, reopen), func(t *testing.T) {
				if reopen {
					s = openAt(t, dir)
				}
				check(t, s, id, step)
				if over {
					return
				}
				ids, err := s.IDs()
				must(t, err)
				for _, id := range ids {
					mustRemove(t, s, id)
				}
				must(t, s.sweep())
				wantEmpty(t, openAt(t, dir))
			})
		}
	}
}

func TestKilledInCreate(t *testing.T) {
	eachDeath(t, "create", func(t *testing.T, s *Store, id, step string) {
		list, err := s.List()
		must(t, err)
		if len(list) > 1 || len(list) == 1 && list[0].Err != nil {
			t.Errorf("the list is %+v", list)
		}
		// It is there, whole, with its name, or it is not and the name is free.
		got, err := s.Find("new")
		switch {
		case len(list) == 1:
			if err != nil || got != id || list[0].Config.Name != "new" {
				t.Errorf("Find: %q %v", got, err)
			}
			_, err := s.OCI(id)
			must(t, err)
		case step == "":
			t.Error("it is not there")
		case !errors.Is(err, engine.ErrNotFound):
			t.Errorf("Find: %q %v", got, err)
		default:
			create(t, s, "new")
			if err := changes["create"](s, id); !errors.Is(err, engine.ErrConflict) {
				t.Errorf("with the name taken: %v", err)
			}
		}
	})
}

func TestKilledInRename(t *testing.T) {
	eachDeath(t, "rename", func(t *testing.T, s *Store, id, step string) {
		snap, err := s.State(id)
		must(t, err)
		is, isNot := "old", "new"
		if snap.Config.Name == is {
			if step == "" {
				t.Error("it has its old name")
			}
		} else {
			is, isNot = isNot, is
		}
		if got, err := s.Find(is); got != id {
			t.Errorf("Find(%s): %q %v", is, got, err)
		}
		if got, err := s.Find(isNot); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("Find(%s): %q %v", isNot, got, err)
		}
		unlock, err := s.Lock(t.Context(), id)
		must(t, err)
		unlock()
		if names, _ := readNames(s.path(namesDir)); len(names) != 2 { // .lock
			t.Errorf("names: %q", names)
		}
		other := create(t, s, isNot)
		mustRemove(t, s, id)
		if got, err := s.Find(isNot); got != other {
			t.Errorf("the name of another: %q %v", got, err)
		}
	})
}

// A rename that was cut short and whose second name somebody else has taken since must leave it to them.
func TestKilledInRenameThenTaken(t *testing.T) {
	eachDeath(t, "rename", func(t *testing.T, s *Store, id, step string) {
		snap, err := s.State(id)
		must(t, err)
		free := map[string]string{"old": "new", "new": "old"}[snap.Config.Name]
		other := create(t, s, free)
		unlock, err := s.Lock(t.Context(), id) // finishes it
		must(t, err)
		unlock()
		for name, want := range map[string]string{free: other, snap.Config.Name: id} {
			if got, err := s.Find(name); got != want {
				t.Errorf("Find(%s): %q %v", name, got, err)
			}
		}
	})
}

func TestKilledInRemove(t *testing.T) {
	eachDeath(t, "remove", func(t *testing.T, s *Store, id, step string) {
		list, err := s.List()
		must(t, err)
		got, err := s.Find("old")
		if len(list) == 1 {
			if got != id || step == "" {
				t.Errorf("it is there: %q %v", got, err)
			}
			return
		}
		if !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("it is gone: %q %v", got, err)
		}
		create(t, s, "old")
	})
}

func TestKilledInWriteConfig(t *testing.T) {
	eachDeath(t, "write", func(t *testing.T, s *Store, id, step string) {
		snap, err := s.State(id)
		must(t, err)
		if snap.Err != nil || snap.Config.StoppedByUser != (step == "") {
			t.Errorf("%+v", snap)
		}
		must(t, changes["write"](s, id))
		snap, err = s.State(id)
		must(t, err)
		if !snap.Config.StoppedByUser {
			t.Error("it cannot be written any more")
		}
	})
}

// A monitor that is killed leaves a state that is true, seen as lost until somebody
// recovers it, and the next monitor works.
func TestKilledMonitor(t *testing.T) {
	eachDeath(t, "run", func(t *testing.T, s *Store, id, step string) {
		snap, err := s.State(id)
		must(t, err)
		if snap.Alive || snap.Lost != exists(s.RunDir(id)) {
			t.Errorf("%+v", snap)
		}
		ran := snap.Run != nil || !s.marked(id).IsZero() || snap.Exit != nil
		if status := snap.Status(); (status == engine.StatusExited) != ran {
			t.Errorf("%s: ran %v", status, ran)
		}
		if snap.Exit != nil && snap.Exit.Code != 7 && !snap.Exit.MonitorLost {
			t.Errorf("%+v", snap.Exit)
		}
		if step == "" && (snap.Exit == nil || snap.Exit.Code != 7) {
			t.Errorf("%+v", snap)
		}
		must(t, s.RemoveRun(id)) // recovery, or a reboot
		snap, err = s.State(id)
		must(t, err)
		if snap.Lost || (snap.Status() == engine.StatusExited) != ran || ran && snap.Exit == nil {
			t.Errorf("after the recovery: %+v", snap)
		}
		must(t, changes["run"](s, id))
		snap, err = s.State(id)
		must(t, err)
		if snap.Exit == nil || snap.Exit.Code != 7 || snap.Alive || snap.Lost {
			t.Errorf("the next run: %+v", snap)
		}
	})
}
