package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// monitor.lock is an open file description lock: it dies with the last descriptor
// of it, and whether it is held can be asked without taking it for a moment, which
// might make a monitor that starts just then believe in another one.

// HoldMonitor makes the container's run directory and takes monitor.lock, which is
// held until the file is closed or the process ends: no child may inherit it (it is
// close-on-exec). Another living monitor is engine.ErrConflict. The monitor alone calls it.
func (s *Store) HoldMonitor(id string) (*os.File, error) {
	const op = "start monitor of container"
	if !validID(id) {
		return nil, notFound(op, id)
	}
	path := filepath.Join(s.RunDir(id), monitorLock)
	for {
		if err := os.MkdirAll(s.RunDir(id), 0o700); err != nil {
			return nil, fmt.Errorf("%s %s: %w", op, id, err)
		}
		s.at("run directory")
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
		if errors.Is(err, fs.ErrNotExist) { // RemoveRun came between
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", op, id, err)
		}
		err = unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, wholeFile())
		if err == nil && isAt(f, path) {
			return f, nil
		}
		f.Close()
		switch err {
		case nil, unix.EINTR:
		case unix.EAGAIN, unix.EACCES:
			return nil, &engine.APIError{Engine: engineName, Op: op, Object: id, Message: "it has a monitor", Kind: engine.ErrConflict}
		default:
			return nil, fmt.Errorf("%s %s: %w", op, id, &fs.PathError{Op: "fcntl", Path: path, Err: err})
		}
	}
}

// MonitorAlive tells whether somebody holds monitor.lock. It disturbs nobody who wants to take it.
func (s *Store) MonitorAlive(id string) (bool, error) {
	if !validID(id) {
		return false, nil
	}
	path := filepath.Join(s.RunDir(id), monitorLock)
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	defer f.Close()
	lock := wholeFile()
	for {
		err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, lock)
		switch err {
		case nil:
			return lock.Type != unix.F_UNLCK, nil
		case unix.EINTR:
		default:
			return false, &fs.PathError{Op: "fcntl", Path: path, Err: err}
		}
	}
}

func wholeFile() *unix.Flock_t { return &unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart} }
