//go:build linux

package state

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

func TestRunAndExit(t *testing.T) {
	s := open(t)
	id := create(t, s, "one")
	want := func(status engine.Status, code int, lost bool) {
		t.Helper()
		snap, err := s.State(id)
		must(t, err)
		list, err := s.List()
		must(t, err)
		if len(list) != 1 {
			t.Fatalf("list has %d", len(list))
		}
		for _, snap := range []*Snapshot{snap, list[0]} {
			if snap.Status() != status || snap.Lost != lost || snap.Exit != nil && snap.Exit.Code != code {
				t.Errorf("status %s, lost %v, exit %+v; want %s %d %v", snap.Status(), snap.Lost, snap.Exit, status, code, lost)
			}
		}
	}
	want(engine.StatusCreated, 0, false)

	f, err := s.HoldMonitor(id)
	must(t, err)
	started := time.Now()
	run := &Run{Status: engine.StatusRunning, PID: 12, StartedAt: started, Networks: map[string]engine.EndpointState{"bridge": {NetworkID: "n"}}}
	must(t, s.WriteRun(id, run))
	want(engine.StatusRunning, 0, false)
	got, err := s.ReadRun(id)
	must(t, err)
	if got.PID != 12 || !got.StartedAt.Equal(started) || got.Networks["bridge"].NetworkID != "n" {
		t.Errorf("%+v", got)
	}
	exit := &Exit{Code: 3, StartedAt: started, FinishedAt: time.Now()}
	must(t, s.WriteExit(id, exit))
	run.Status = engine.StatusExited
	must(t, s.WriteRun(id, run))
	want(engine.StatusExited, 3, false)
	must(t, s.RemoveRun(id))
	want(engine.StatusExited, 3, false)
	f.Close()
	want(engine.StatusExited, 3, false)

	// A second run, whose monitor dies.
	f, err = s.HoldMonitor(id)
	must(t, err)
	again := time.Now()
	must(t, s.WriteRun(id, &Run{Status: engine.StatusPaused, StartedAt: again}))
	want(engine.StatusPaused, 3, false)
	f.Close()
	want(engine.StatusExited, 3, true)

	// The same after a reboot: the run directory is not there.
	must(t, os.RemoveAll(s.run))
	want(engine.StatusExited, 137, false)
	snap, err := s.State(id)
	must(t, err)
	if !snap.Exit.MonitorLost || !snap.Exit.StartedAt.Equal(again) || snap.Exit.FinishedAt.Before(again) {
		t.Errorf("%+v", snap.Exit)
	}
	must(t, s.WriteExit(id, snap.Exit))
	if !s.marked(id).IsZero() {
		t.Error("it is still marked")
	}
	want(engine.StatusExited, 137, false)
}

func TestOtherBootsGo(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "run/01234567-89ab-cdef-0123-456789abcdef/x/y")
	must(t, os.MkdirAll(old, 0o755))
	must(t, os.MkdirAll(filepath.Join(dir, "run/other"), 0o755))
	s := openAt(t, dir)
	if exists(filepath.Dir(filepath.Dir(old))) {
		t.Error("the directory of another boot is still there")
	}
	if !exists(filepath.Join(dir, "run/other")) || !exists(s.RunRoot()) {
		t.Error("too much is gone")
	}
}

// What was read once is not read again until it is another file; a private copy is never shared.
func TestCache(t *testing.T) {
	s := open(t)
	id := create(t, s, "one")
	path := filepath.Join(s.Dir(id), configFile)
	hourAgo := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(path, hourAgo, hourAgo))
	a, err := s.State(id)
	must(t, err)
	b, err := s.State(id)
	must(t, err)
	if a.Config != b.Config {
		t.Error("it was read twice")
	}
	own, err := s.Config(id)
	must(t, err)
	if own == a.Config {
		t.Error("Config gives the shared one away")
	}
	for i := range 200 { // within one tick of the clock
		own.Args = []string{string(rune('a' + i%26))}
		must(t, s.WriteConfig(own))
		c, err := s.State(id)
		must(t, err)
		if diff := cmp.Diff(own.Args, c.Config.Args); diff != "" {
			t.Fatal(diff)
		}
	}
	mustRemove(t, s, id)
	if len(s.cache.configs) != 0 {
		t.Error("it is still in the cache")
	}
}

func TestUnreadableContainer(t *testing.T) {
	for name, content := range map[string]string{"empty": "", "cut": `{"id":"`, "other": `{"id":"x"}`} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			id := create(t, s, "one")
			create(t, s, "two")
			must(t, os.WriteFile(filepath.Join(s.Dir(id), configFile), []byte(content), 0o600))
			list, err := s.List()
			must(t, err)
			if len(list) != 2 {
				t.Fatalf("the list has %d", len(list))
			}
			snap, err := s.State(id)
			must(t, err)
			if snap.Err == nil || snap.Status() != engine.StatusDead || snap.Config.Name != "one" || snap.Config.ID != id {
				t.Errorf("%+v %+v", snap, snap.Config)
			}
			got, err := s.Find("one")
			must(t, err)
			mustRemove(t, s, got)
			create(t, s, "one")
		})
	}
}

func TestSocket(t *testing.T) {
	s := open(t)
	id := create(t, s, "one")
	if _, err := s.DialMonitor(t.Context(), id); !errors.Is(err, engine.ErrNotRunning) {
		t.Errorf("without a monitor: %v", err)
	}
	f, err := s.HoldMonitor(id)
	must(t, err)
	defer f.Close()
	if _, err := s.DialMonitor(t.Context(), id); !errors.Is(err, engine.ErrNotRunning) {
		t.Errorf("without a socket: %v", err)
	}
	for range 2 {
		l, err := s.ListenMonitor(id)
		must(t, err)
		go func() {
			c, err := l.Accept()
			if err == nil {
				io.Copy(c, c)
				c.Close()
			}
		}()
		c, err := s.DialMonitor(t.Context(), id)
		must(t, err)
		c.Write([]byte("hello"))
		c.CloseWrite()
		if got, err := io.ReadAll(c); !bytes.Equal(got, []byte("hello")) {
			t.Errorf("%q %v", got, err)
		}
		c.Close()
		l.Close()
		if _, err := s.DialMonitor(t.Context(), id); !errors.Is(err, engine.ErrNotRunning) {
			t.Errorf("with a dead socket: %v", err)
		}
		if _, err := s.ListenMonitor(id); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("with the socket of a monitor that has died: %v", err)
		}
		must(t, s.RemoveRun(id))
		f, err := s.HoldMonitor(id)
		must(t, err)
		defer f.Close()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l, err := s.ListenMonitor(id)
	must(t, err)
	defer l.Close()
	if _, err := s.DialMonitor(ctx, id); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
