package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// resume starts what the machine's last stop has ended against its restart policy. The
// first engine that is opened on a run root after a boot does it, and writes into a file that it is done:
// what one leaves that is killed or cancelled meanwhile, the next ones do. It waits for no other that is at it.
func (e *Engine) resume(ctx context.Context) error {
	name := filepath.Join(e.store.RunRoot(), "resumed")
	if info, err := os.Stat(name); err == nil && info.Size() > 0 {
		return nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
		return nil // where nothing can be written, nothing can be started
	}
	if err != nil {
		return fmt.Errorf("resume containers: %w", err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return nil
	} else if err != nil {
		return fmt.Errorf("resume containers: %w", err)
	}
	if info, err := f.Stat(); err != nil || info.Size() > 0 {
		return err
	}
	list, err := e.store.List()
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, 8)
	done := true
	for _, s := range list {
		if s.Alive && !busy(s) {
			done = false // a call is at it, or one was that is dead: the next engine sees what came of it
		}
		if s.Alive || s.Err != nil {
			continue
		}
		if s.Lost { // since the machine was started
			if _, err := e.state(ctx, s.Config.ID); err != nil {
				done = false
				e.log.WarnContext(ctx, "recover a container whose monitor has died", "container", s.Config.ID, "error", err)
			}
			continue
		}
		if err := e.monitors.Sweep(ctx, s.Config); err != nil {
			e.log.WarnContext(ctx, "remove cgroup of a container that the machine's stop has ended", "container", s.Config.ID, "error", err)
		}
		if !interrupted(s) {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			e.revive(ctx, s.Config.ID)
			<-slots
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !done {
		return nil
	}
	if _, err := f.WriteString("done\n"); err != nil {
		return fmt.Errorf("resume containers: %w", err)
	}
	return nil
}

// lost tells that a container has ended because its monitor did.
func lost(s *state.Snapshot) bool {
	return s.Err == nil && !s.Alive && s.Exit != nil && s.Exit.MonitorLost
}

// interrupted tells that a container is lost and that its restart policy wants it to run.
func interrupted(s *state.Snapshot) bool {
	if !lost(s) || s.Config.StoppedByUser {
		return false
	}
	switch s.Config.Spec.RestartPolicy.Name {
	case "always", "unless-stopped", "on-failure":
		return true
	}
	return false
}

// revive starts a container whose restart policy wants it. That it cannot be started is recorded in its state, and undoes nothing.
func (e *Engine) revive(ctx context.Context, id string) {
	if err := e.monitors.Start(ctx, id, engine.StartOptions{}); err != nil && !errors.Is(err, engine.ErrNotFound) {
		e.log.WarnContext(ctx, "restart container by its policy", "container", id, "error", err)
	}
}
