package network

import (
	"context"

	"github.com/berthdev/berth/engine"
)

// Session is a container's connection to its networks: its name server, and the
// forwarding of its published ports. It lives in the container's monitor and is safe for concurrent use.
type Session struct {
	m *Manager
}

// Join connects the running container to another network, and returns its networks after that.
func (s *Session) Join(ctx context.Context, ep engine.Endpoint) (*Result, error) { return nil, errTODO }

// Leave disconnects it from a network (by name or ID), and returns its networks after that. One that it is not in is ErrNotFound.
func (s *Session) Leave(ctx context.Context, network string) (*Result, error) { return nil, errTODO }

// Rename changes the container's name for name servers.
func (s *Session) Rename(name string) error { return errTODO }

// Result is what the container has now.
func (s *Session) Result() *Result { return nil }

// Close ends the session: its sockets are closed at once, and addresses, bridge ports and
// rules are given back. Call it when the container's processes have ended and the exit has been reported: it waits for the kernel.
func (s *Session) Close(ctx context.Context) error { return errTODO }
