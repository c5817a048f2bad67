//go:build linux

package state

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

func init() {
	roles["chaos"] = func(args []string) { // DIR SEED: changes this and that until it kills itself
		s, err := Open(filepath.Join(args[0], "root"), filepath.Join(args[0], "run"))
		if err != nil {
			panic(err)
		}
		seed, _ := strconv.ParseUint(args[1], 10, 64)
		r := rand.New(rand.NewPCG(seed, 0))
		left := 20 + r.IntN(150)
		s.step = func(string) {
			if left--; left < 0 {
				unix.Kill(os.Getpid(), unix.SIGKILL)
				select {}
			}
		}
		for {
			if err := disturb(s, r); err != nil && !errors.Is(err, engine.ErrConflict) && !errors.Is(err, engine.ErrNotFound) {
				fmt.Println(err)
				os.Exit(1)
			}
		}
	}
}

// disturb makes one change of one of a few containers, as an engine does it.
func disturb(s *Store, r *rand.Rand) error {
	name := func() string { return fmt.Sprintf("name%d", r.IntN(6)) } // which no ID begins with
	if r.IntN(3) == 0 {
		return s.Create(testConfig(name()), &specs.Spec{Version: "1.0.2"}, map[string]File{"hosts": {Mode: 0o644}})
	}
	id, err := s.Find(name())
	if err != nil {
		return err
	}
	unlock, err := s.Lock(context.Background(), id)
	if err != nil {
		return err
	}
	defer unlock()
	switch r.IntN(4) {
	case 0:
		return s.Rename(id, name())
	case 1:
		return s.Remove(id)
	case 2:
		_, err := s.List()
		return err
	}
	f, err := s.HoldMonitor(id)
	if err != nil {
		return err
	}
	defer f.Close()
	started := time.Now()
	return errors.Join(
		s.WriteRun(id, &Run{Status: engine.StatusRunning, StartedAt: started}), s.WriteExit(id, &Exit{StartedAt: started, FinishedAt: started}), s.RemoveRun(id))
}

// Processes that change the same containers and are killed one after another leave a store that is whole, and from which everything can be removed.
func TestChaos(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for round := range 6 {
				out, err := exec.Command(os.Args[0], "chaos", dir, strconv.Itoa(100*worker+round)).CombinedOutput()
				exit, ok := errors.AsType[*exec.ExitError](err)
				if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
					t.Errorf("%v %s", err, out)
				}
			}
		})
	}
	wg.Wait()
	s := openAt(t, dir)
	list, err := s.List()
	must(t, err)
	for _, snap := range list {
		id := snap.Config.ID
		if got, err := s.Find(snap.Config.Name); snap.Err != nil || got != id {
			t.Errorf("%s %s: found %s %v %v", id, snap.Config.Name, got, err, snap.Err)
		}
		if snap.Lost {
			must(t, s.RemoveRun(id))
		}
		mustRemove(t, s, id)
	}
	wantEmpty(t, openAt(t, dir))
}
