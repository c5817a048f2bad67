package server

import (
	"net"

	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// waiter is a client that waits for a condition.
type waiter struct {
	cond engine.WaitCondition
	last *state.Exit // the last end when the wait was registered
	done chan *engine.Exit
}

// wait answers once when the wait is registered, and again when its condition holds.
func (m *monitor) wait(conn *net.UnixConn, q *proto.Request) {
	w := &waiter{cond: q.Cond, done: make(chan *engine.Exit, 1)}
	m.mu.Lock()
	w.last = m.last
	if m.waiters == nil {
		m.waiters = make(map[*waiter]bool)
	}
	m.waiters[w] = true
	m.tell(w)
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		delete(m.waiters, w)
		m.mu.Unlock()
	}()
	if proto.Write(conn, proto.Response{}) != nil {
		return
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		var b [1]byte
		conn.Read(b[:])
	}()
	select {
	case exit := <-w.done:
		proto.Write(conn, proto.Response{Exit: exit})
	case <-gone:
	}
}

// broadcast tells those whose condition has come true. It is called for every change, so that none
// is missed that lasts a moment. m.mu is held.
func (m *monitor) broadcast() {
	for w := range m.waiters {
		m.tell(w)
	}
}

// tell answers a waiter if its condition holds. m.mu is held.
func (m *monitor) tell(w *waiter) {
	if exit, ok := m.holds(w.cond, m.last != w.last); ok {
		w.done <- exit
		delete(m.waiters, w)
	}
}

// holds says whether a condition holds; ended tells that a run has ended since the wait
// was registered. m.mu is held.
func (m *monitor) holds(cond engine.WaitCondition, ended bool) (*engine.Exit, bool) {
	exit := &engine.Exit{Code: -1}
	// A first start that has failed is an end for those who wait for one.
	over := m.status == engine.StatusExited || m.run == nil && m.status == engine.StatusCreated && m.last != nil
	code := func() *engine.Exit {
		if m.last == nil {
			return &engine.Exit{}
		}
		return &engine.Exit{Code: m.last.Code, Error: m.last.Error}
	}
	switch cond {
	case engine.WaitNotRunning, "":
		return code(), over || m.run == nil && (m.status == engine.StatusCreated || m.status == engine.StatusInitialized)
	case engine.WaitNextExit:
		return code(), ended
	case engine.WaitStopped, engine.WaitExited:
		return code(), over
	case engine.WaitRemoved:
		return code(), m.retired && over
	case engine.WaitRemoving:
		return exit, m.retired
	case engine.WaitHealthy:
		return exit, m.healthStatus() == engine.HealthHealthy
	case engine.WaitUnhealthy:
		return exit, m.healthStatus() == engine.HealthUnhealthy
	}
	return exit, string(m.status) == string(cond)
}
