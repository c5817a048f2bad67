package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// State reads everything about one container. It is engine.ErrNotFound when there is none.
func (s *Store) State(id string) (*Snapshot, error) {
	if !validID(id) {
		return nil, notFound("find container", id)
	}
	snap := &Snapshot{}
	// The run first and the exit last: an end is written in the other order, so that one of the two is seen.
	if err := s.readRun(id, snap); err != nil {
		return nil, fmt.Errorf("read state of container %s: %w", id, err)
	}
	if err := s.readRest(id, snap); err != nil {
		return nil, err
	}
	return snap, nil
}

// List reads everything about all containers, in no order. Containers that come or
// go meanwhile may be in it or not. Those whose monitor may be alive are told by one look at the run directory.
func (s *Store) List() ([]*Snapshot, error) {
	names, err := readNames(s.run)
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	live := make(map[string]bool, len(names))
	for _, name := range names {
		live[name] = true
	}
	ids, err := s.IDs()
	if err != nil {
		return nil, err
	}
	list, errs := make([]*Snapshot, len(ids)), make([]error, len(ids))
	// What a command lists it reads for the first time, which is decoding above all: all processors take part.
	workers := min(runtime.GOMAXPROCS(0), 1+len(ids)/64)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(ids); i += workers {
				list[i], errs[i] = s.listed(ids[i], live[ids[i]])
			}
		})
	}
	wg.Wait()
	gone := func(snap *Snapshot) bool { return snap == nil }
	return slices.DeleteFunc(list, gone), errors.Join(errs...)
}

// listed is State for List; nil without an error for a container that is gone.
func (s *Store) listed(id string, live bool) (snap *Snapshot, err error) {
	if !live {
		snap = &Snapshot{}
		err = s.readRest(id, snap)
	}
	if live || err == nil && snap.Exit != nil && snap.Exit.MonitorLost { // or it was started after the look
		snap, err = s.State(id)
	}
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return snap, nil
}

// readRest fills Config and Exit.
func (s *Store) readRest(id string, snap *Snapshot) error {
	cfg, err := s.cachedConfig(id)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return err
	case err != nil:
		cfg, snap.Err = s.unreadable(id), err
	}
	snap.Config = cfg
	e, err := s.cachedExit(id)
	if err != nil {
		if snap.Err == nil {
			snap.Err = fmt.Errorf("read exit of container %s: %w", id, err)
		}
		return nil
	}
	snap.Exit = e
	if snap.Run != nil && (snap.Run.PID != 0 || !snap.Alive) {
		return nil
	}
	if started := s.marked(id); !started.IsZero() && (e == nil || !e.StartedAt.Equal(started)) {
		if noted := s.noted(id, started); noted != nil {
			snap.Exit = noted
		} else if !snap.Alive && snap.Run == nil {
			snap.Exit = lostAt(started)
		}
	}
	return nil
}

// unreadable is the Config of a container that has none that can be read.
func (s *Store) unreadable(id string) *Config {
	cfg := &Config{ID: id, Name: id[:12]}
	if info, err := os.Stat(s.Dir(id)); err == nil {
		cfg.Created = info.ModTime()
	}
	names, _ := readNames(s.path(namesDir))
	for _, name := range names {
		if to, _ := s.linked(name); to == id {
			cfg.Name = name
		}
	}
	return cfg
}

// lostAt is the end of a container that was running when the machine stopped.
func lostAt(started time.Time) *Exit {
	end := started
	if boot := bootTime(); boot.After(end) {
		end = boot
	}
	return &Exit{Code: lostCode, StartedAt: started, FinishedAt: end, MonitorLost: true}
}

// lostCode is the exit code of a container whose end nobody saw: it went with SIGKILL.
const lostCode = 137

// bootTime is when the machine was started; zero if it is not known.
func bootTime() time.Time {
	data, _ := os.ReadFile("/proc/stat")
	for line := range bytes.Lines(data) {
		if rest, ok := bytes.CutPrefix(line, []byte("btime ")); ok {
			sec, err := strconv.ParseInt(string(bytes.TrimSpace(rest)), 10, 64)
			if err == nil {
				return time.Unix(sec, 0)
			}
		}
	}
	return time.Time{}
}

// readRun fills Run, Alive and Lost so that they belong together.
func (s *Store) readRun(id string, snap *Snapshot) error {
	before, err := s.runVersion(id)
	for err == nil {
		snap.Run, err = s.ReadRun(id)
		if err != nil {
			return err
		}
		if snap.Alive, err = s.MonitorAlive(id); err != nil {
			return err
		}
		after, err := s.runVersion(id)
		if err != nil {
			return err
		}
		if after == before {
			snap.Lost = !snap.Alive && exists(s.RunDir(id))
			return nil
		}
		before = after
	}
	return err
}

// runVersion tells one state of the run directory from another.
func (s *Store) runVersion(id string) ([2]version, error) {
	var v [2]version
	for i, path := range []string{s.RunDir(id), s.RunDir(id) + "/" + runFile} {
		var st unix.Stat_t
		switch err := unix.Lstat(path, &st); err {
		case nil:
			v[i] = versionOf(&st)
		case unix.ENOENT:
		default:
			return v, &os.PathError{Op: "lstat", Path: path, Err: err}
		}
	}
	return v, nil
}
