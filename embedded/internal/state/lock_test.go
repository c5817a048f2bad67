//go:build linux

package state

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

func init() {
	roles["hold"] = func(args []string) { // ROOT RUN ID what: holds it until stdin ends
		s, err := Open(args[0], args[1])
		if err == nil {
			switch args[3] {
			case "lock":
				_, err = s.Lock(context.Background(), args[2])
			case "monitor":
				_, err = s.HoldMonitor(args[2])
			}
		}
		if err != nil {
			os.Stdout.WriteString(err.Error())
			os.Exit(1)
		}
		os.Stdout.WriteString("held")
		os.Stdin.Read(make([]byte, 1))
	}
}

// hold has another process hold something until release or, with kill, until it is killed.
func hold(t *testing.T, s *Store, id, what string) (release, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "hold", s.root, s.run[:len(s.run)-37], id, what)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	b := make([]byte, 200)
	n, _ := out.Read(b)
	if string(b[:n]) != "held" {
		t.Fatalf("%s", b[:n])
	}
	over := sync.OnceFunc(func() { in.Close(); cmd.Wait() })
	t.Cleanup(over)
	return over, func() { cmd.Process.Kill(); over() }
}

func TestLock(t *testing.T) {
	s := open(t)
	id := create(t, s, "one")
	unlock, err := s.Lock(t.Context(), id)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.Lock(ctx, id); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while it is locked: %v", err)
	}
	got := make(chan error)
	go func() {
		unlock, err := s.Lock(t.Context(), id)
		if err == nil {
			unlock()
		}
		got <- err
	}()
	unlock()
	unlock()
	must(t, <-got)
	if len(s.locks) != 0 {
		t.Error(s.locks)
	}
}

func TestLockOfAnotherProcess(t *testing.T) {
	s := open(t)
	id := create(t, s, "one")
	for _, how := range []string{"release", "kill"} {
		release, kill := hold(t, s, id, "lock")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := s.Lock(ctx, id); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while another process has it: %v", err)
		}
		cancel()
		if how == "kill" {
			kill()
		} else {
			release()
		}
		unlock, err := s.Lock(t.Context(), id)
		must(t, err)
		unlock()
	}
}

func TestLockOfARemovedContainer(t *testing.T) {
	s := open(t)
	id := create(t, s, "one")
	unlock, err := s.Lock(t.Context(), id)
	must(t, err)
	got := make(chan error)
	other := openAt(t, s.root[:len(s.root)-len("/root")]) // waits for the file, not for the turn
	for _, s := range []*Store{s, other} {
		go func() { _, err := s.Lock(t.Context(), id); got <- err }()
	}
	time.Sleep(5 * time.Millisecond)
	must(t, s.Remove(id))
	unlock()
	for range 2 {
		if err := <-got; !errors.Is(err, engine.ErrNotFound) {
			t.Error(err)
		}
	}
}

func TestMonitorLock(t *testing.T) {
	s := open(t)
	id := create(t, s, "one")
	alive := func(want bool) {
		t.Helper()
		if got, err := s.MonitorAlive(id); err != nil || got != want {
			t.Errorf("alive: %v %v", got, err)
		}
	}
	alive(false)
	f, err := s.HoldMonitor(id)
	must(t, err)
	alive(true)
	if _, err := s.HoldMonitor(id); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("a second monitor: %v", err)
	}
	f.Close()
	alive(false)
	_, kill := hold(t, s, id, "monitor")
	alive(true)
	snap, err := s.State(id)
	must(t, err)
	if !snap.Alive || snap.Lost || snap.Status() != engine.StatusCreated {
		t.Errorf("%+v", snap)
	}
	kill()
	alive(false)
	snap, err = s.State(id)
	must(t, err)
	if snap.Alive || !snap.Lost {
		t.Errorf("%+v", snap)
	}
	must(t, s.RemoveRun(id))
	mustRemove(t, s, id)
	wantEmpty(t, s)
}

// Asking whether a monitor is there must never make one believe that there is another.
func TestAskingDisturbsNobody(t *testing.T) {
	s := open(t)
	id := create(t, s, "one")
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if _, err := s.State(id); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	for range 300 {
		f, err := s.HoldMonitor(id)
		if err != nil {
			t.Error(err)
			break
		}
		must(t, s.WriteRun(id, &Run{Status: engine.StatusRunning}))
		must(t, s.RemoveRun(id))
		f.Close()
	}
	close(done)
	wg.Wait()
}
