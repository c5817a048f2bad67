package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Lock takes the container's lock for a transition, waiting for it as long as ctx
// allows. A container that is removed meanwhile is engine.ErrNotFound. The kernel
// releases it with the process. unlock may be called more than once.
func (s *Store) Lock(ctx context.Context, id string) (unlock func(), err error) {
	if !validID(id) {
		return nil, notFound("lock container", id)
	}
	leave, err := s.takeTurn(ctx, id)
	if err != nil {
		return nil, err
	}
	f, err := lockFileOf(ctx, filepath.Join(s.Dir(id), lockFile))
	if err == nil {
		if err = s.finishRename(id); err != nil {
			f.Close()
		}
	}
	if err != nil {
		leave()
		if errors.Is(err, fs.ErrNotExist) {
			return nil, notFound("lock container", id)
		}
		return nil, fmt.Errorf("lock container %s: %w", id, err)
	}
	return sync.OnceFunc(func() {
		f.Close()
		leave()
	}), nil
}

// lockFileOf takes a flock on an existing file. It looks again, less and less often, as a
// blocking flock cannot be given up. The file that it has locked is the one that is at path now.
func lockFileOf(ctx context.Context, path string) (*os.File, error) {
	const first, longest = 200 * time.Microsecond, 20 * time.Millisecond
	for wait := first; ; {
		f, err := tryFlock(path)
		switch {
		case err != nil:
			return nil, err
		case f == nil:
			t := time.NewTimer(wait)
			wait = min(2*wait, longest)
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
				return nil, context.Cause(ctx)
			}
		case isAt(f, path):
			return f, nil
		default:
			f.Close()
		}
	}
}

// tryFlock locks the file at path; nil without an error when another has it.
func tryFlock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	err = flock(f, unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, nil
	}
	return nil, err
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		switch err {
		case nil:
			return nil
		case unix.EINTR:
		default:
			return &fs.PathError{Op: "flock", Path: f.Name(), Err: err}
		}
	}
}

// isAt tells that path still is the open file.
func isAt(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Lstat(path)
	return err == nil && os.SameFile(a, b)
}

// turn lets the goroutines of one process in one after another, so that they wait for each other without looking again and again.
type turn struct {
	free  chan struct{} // holds a value while nobody is in
	users int           // in or waiting; under Store.mu
}

func (s *Store) takeTurn(ctx context.Context, id string) (leave func(), err error) {
	s.mu.Lock()
	t := s.locks[id]
	if t == nil {
		t = &turn{free: make(chan struct{}, 1)}
		t.free <- struct{}{}
		s.locks[id] = t
	}
	t.users++
	s.mu.Unlock()
	drop := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(s.locks, id)
		}
	}
	if ctx.Err() != nil { // a free turn must not win over it
		drop()
		return nil, context.Cause(ctx)
	}
	select {
	case <-t.free:
		return func() {
			t.free <- struct{}{}
			drop()
		}, nil
	case <-ctx.Done():
		drop()
		return nil, context.Cause(ctx)
	}
}

// lockNames takes names/.lock, which everybody holds for a few system calls only.
func (s *Store) lockNames() (unlock func(), err error) {
	f, err := os.OpenFile(s.path(namesDir, ".lock"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(f, unix.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}
