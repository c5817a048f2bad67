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
// first engine that is opened on a run root after a boot does it.
func (e *Engine) resume(ctx context.Context) error {
	f, err := os.OpenFile(filepath.Join(e.store.RunRoot(), "resumed"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
		return nil // where nothing can be written, nothing can be started
	}
	if err != nil {
		return fmt.Errorf("resume containers: %w", err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	list, err := e.store.List()
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, 8)
	for _, s := range list {
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
	return ctx.Err()
}

// interrupted tells that a container has ended because its monitor did, and that its restart policy wants it to run.
func interrupted(s *state.Snapshot) bool {
	if s.Err != nil || s.Alive || s.Exit == nil || !s.Exit.MonitorLost || s.Config.StoppedByUser {
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
