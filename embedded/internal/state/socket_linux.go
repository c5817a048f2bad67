package state

import (
	"context"
	"net"
)

// ListenMonitor makes the monitor's socket, RunDir(id)/sock. The path of a unix socket
// is limited to 107 bytes, which RunDir exceeds: it is made through a descriptor of the directory.
func (s *Store) ListenMonitor(id string) (*net.UnixListener, error) { panic("TODO") }

// DialMonitor connects to the monitor's socket. Without a listening monitor it is engine.ErrNotRunning.
func (s *Store) DialMonitor(ctx context.Context, id string) (*net.UnixConn, error) { panic("TODO") }
