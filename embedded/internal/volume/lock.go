//go:build linux

package volume

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Lease keeps volumes from being removed until release is called: take it before
// volumes are made or found for a new container, release it when the container is where InUse
// sees it. Any number may be held at a time. Whoever holds one must not call Remove or Prune.
func (s *Store) Lease(ctx context.Context) (release func(), err error) {
	if err := os.MkdirAll(s.root, 0o711); err != nil {
		return nil, fmt.Errorf("lock volumes: %w", err)
	}
	return flock(ctx, filepath.Join(s.root, ".lock"), unix.LOCK_SH)
}

// exclusive waits until there is no Lease. What crashed processes have left half-made or half-removed goes.
func (s *Store) exclusive(ctx context.Context) (release func(), err error) {
	release, err = flock(ctx, filepath.Join(s.root, ".lock"), unix.LOCK_EX)
	if err != nil {
		return nil, err
	}
	list, err := os.ReadDir(s.root)
	if err != nil {
		release()
		return nil, fmt.Errorf("lock volumes: %w", err)
	}
	for _, e := range list {
		if strings.HasPrefix(e.Name(), newPrefix) || strings.HasPrefix(e.Name(), deadPrefix) {
			_ = s.discard(e.Name()) // the next one tries again
		}
	}
	return release, nil
}

// flock takes a lock on a file, which it makes. The kernel releases it with the
// process. Waiting, it looks again, less and less often, as a blocking flock cannot be given up.
func flock(ctx context.Context, path string, how int) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("lock volumes: %w", err)
	}
	return lockFile(ctx, f, how)
}

// flockDir is flock of a directory that is there, exclusive.
func flockDir(ctx context.Context, dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("lock volume: %w", err)
	}
	return lockFile(ctx, f, unix.LOCK_EX)
}

// lockFile locks f, which unlock closes.
func lockFile(ctx context.Context, f *os.File, how int) (unlock func(), err error) {
	for wait := 200 * time.Microsecond; ; wait = min(2*wait, 20*time.Millisecond) {
		switch err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB); err {
		case nil:
			return sync.OnceFunc(func() { f.Close() }), nil
		case unix.EINTR:
			continue
		case unix.EWOULDBLOCK:
		default:
			f.Close()
			return nil, fmt.Errorf("lock volumes: %w", &os.PathError{Op: "flock", Path: f.Name(), Err: err})
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			f.Close()
			return nil, context.Cause(ctx)
		}
	}
}
