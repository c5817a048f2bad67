package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// The path of a unix socket is limited to 107 bytes, which RunDir exceeds: it is
// reached through a descriptor of the directory.

// ListenMonitor makes the monitor's socket, RunDir(id)/sock. Closing the listener leaves the file, which goes with
// RemoveRun: one that is there is engine.ErrConflict, since it is that of a monitor which was killed, and
// what it has left is not recorded and removed yet. The caller holds monitor.lock.
func (s *Store) ListenMonitor(id string) (*net.UnixListener, error) {
	l, err := s.listen(id)
	if errors.Is(err, unix.EADDRINUSE) {
		return nil, &engine.APIError{Engine: engineName, Op: "start monitor of container", Object: id, Message: "its last monitor has died", Kind: engine.ErrConflict}
	}
	if err != nil {
		return nil, fmt.Errorf("listen for clients of container %s: %w", id, err)
	}
	return l, nil
}

func (s *Store) listen(id string) (*net.UnixListener, error) {
	dir, path, err := s.socketPath(id)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // the path means something else once dir is closed
	return l, nil
}

// DialMonitor connects to the monitor's socket. Without a listening monitor it is engine.ErrNotRunning.
func (s *Store) DialMonitor(ctx context.Context, id string) (*net.UnixConn, error) {
	c, err := s.dial(ctx, id)
	switch {
	case err == nil:
		return c, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ECONNREFUSED):
		return nil, &engine.APIError{Engine: engineName, Op: "reach monitor of container", Object: id, Message: "it has none", Kind: engine.ErrNotRunning}
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return nil, fmt.Errorf("reach monitor of container %s: %w", id, err)
}

func (s *Store) dial(ctx context.Context, id string) (*net.UnixConn, error) {
	dir, path, err := s.socketPath(id)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	return c.(*net.UnixConn), nil
}

// socketPath returns a short path of the socket, which is valid until dir is closed.
func (s *Store) socketPath(id string) (dir *os.File, path string, err error) {
	dir, err = os.OpenFile(s.RunDir(id), unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, "", err
	}
	return dir, filepath.Join("/proc/self/fd", fmt.Sprint(dir.Fd()), socketFile), nil
}
