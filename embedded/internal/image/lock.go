//go:build linux

package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// errReadOnly: the store cannot be written to.
var errReadOnly = unix.EROFS

// errBusy: another process or call holds the lock.
var errBusy = errors.New("the store is in use")

// flock takes a lock on a file of the images directory: unix.LOCK_SH or LOCK_EX. The
// kernel releases it with the process. Waiting, it looks again every few
// milliseconds, as a blocking flock cannot be given up.
func (s *Store) flock(ctx context.Context, name string, how int) (unlock func(), err error) {
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		unlock, err := s.tryLock(name, how)
		if err != errBusy {
			return unlock, err
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, context.Cause(ctx)
		}
	}
}

// tryLock is flock that does not wait: errBusy.
func (s *Store) tryLock(name string, how int) (unlock func(), err error) {
	path := s.path("images", name)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock image store: %w", err)
	}
	for {
		err = unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if err != unix.EINTR {
			break
		}
	}
	switch err {
	case nil:
		return func() { f.Close() }, nil
	case unix.EWOULDBLOCK:
		err = errBusy
	default:
		err = fmt.Errorf("lock image store: %w", &os.PathError{Op: "flock", Path: path, Err: err})
	}
	f.Close()
	return nil, err
}

// Lease keeps everything in the store from being removed until it is released or
// the process ends: hold one while a container is made, from before its image is
// looked up until its layers are among Options.LayersInUse. Leases do not exclude each other.
func (s *Store) Lease(ctx context.Context) (release func(), err error) {
	return s.flock(ctx, gcLock, unix.LOCK_SH)
}

const (
	gcLock    = "gc.lock"
	indexLock = "index.lock"
)
