package network

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The files below run/net:
//
//	lock                        held while bridges, addresses or the table change
//	sweep.lock                  held by the process that waits in Sweep
//	containers/ID.lock          held by the Session of the container for life
//	containers/ID.json          record: what the container has, written before it is made
//	endpoints/NETID/ID          link to the record of a container in the network
//	addresses/NETID/ADDR        link whose target is the ID of the container that has the address
//	addresses/NETID/.last       the address that was given out last

func (m *Manager) netDir(elem ...string) string {
	return filepath.Join(append([]string{m.run, "net"}, elem...)...)
}

func (m *Manager) recordPath(id string) string { return m.netDir("containers", id+".json") }
func (m *Manager) ownerPath(id string) string  { return m.netDir("containers", id+".lock") }

// tempExt is at the end of the name of a file that is being written. One that is left is of a process that died.
const tempExt = ".tmp"

// writeJSON replaces the file, which nobody else writes: the caller has its lock.
func writeJSON(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	tmp := path + tempExt
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		os.Remove(tmp)
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		os.Remove(tmp)
		return err
	}
	return nil
}

func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// lockFile takes an exclusive lock on the file, which it makes; unlock by closing. It waits as long as ctx allows.
func lockFile(ctx context.Context, path string) (*os.File, error) {
	open := func() (*os.File, error) {
		return os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_CLOEXEC, 0o600)
	}
	f, err := open()
	if errors.Is(err, fs.ErrNotExist) {
		// Its directory alone: who removes all of a store must not get a part of it back from a monitor that ends.
		if err = os.Mkdir(filepath.Dir(path), 0o700); err == nil || errors.Is(err, fs.ErrExist) {
			f, err = open()
		}
	}
	if err != nil {
		return nil, err
	}
	if err := flock(f, unix.LOCK_EX|unix.LOCK_NB); err == nil {
		return f, nil
	} else if err != unix.EWOULDBLOCK {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	// Somebody has it: a goroutine waits in the kernel. If ctx ends first, it gives the lock back when it gets it.
	done := make(chan error, 1)
	go func() { done <- flock(f, unix.LOCK_EX) }()
	select {
	case err := <-done:
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		return f, nil
	case <-ctx.Done():
		go func() {
			<-done
			f.Close()
		}()
		return nil, context.Cause(ctx)
	}
}

func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); err != unix.EINTR {
			return err
		}
	}
}

// lock takes the lock of the run directory.
func (m *Manager) lock(ctx context.Context) (unlock func(), err error) {
	f, err := lockFile(ctx, m.netDir("lock"))
	if err != nil {
		return nil, err
	}
	return func() { f.Close() }, nil
}

// own takes the lock that says "this container's session lives". ok is false when somebody has it.
//
// It is an open file description lock: unlike flock, it can be looked at without being taken.
func (m *Manager) own(id string) (f *os.File, ok bool, err error) {
	path := m.ownerPath(id)
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_CLOEXEC, 0o600)
		if errors.Is(err, fs.ErrNotExist) {
			if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
				continue
			}
		}
		if err != nil {
			return nil, false, err
		}
		if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}); err != nil {
			f.Close()
			if err == unix.EAGAIN || err == unix.EACCES {
				return nil, false, nil
			}
			return nil, false, fmt.Errorf("lock %s: %w", path, err)
		}
		// The file may have been removed by its owner between open and lock.
		a, err := f.Stat()
		if err == nil {
			if b, err := os.Stat(path); err == nil && os.SameFile(a, b) {
				return f, true, nil
			}
		}
		f.Close()
	}
}

// alive says whether the session of a container lives.
func (m *Manager) alive(id string) bool {
	f, err := os.OpenFile(m.ownerPath(id), os.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	defer f.Close()
	l := unix.Flock_t{Type: unix.F_WRLCK}
	return unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &l) != nil || l.Type != unix.F_UNLCK
}

// now is the time in UTC, without the monotonic clock.
func now() time.Time { return time.Now().UTC().Round(0) }
