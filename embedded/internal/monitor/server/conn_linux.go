package server

import (
	"context"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/monitor/proto"
)

// accept serves connections until the listener is closed.
func (m *monitor) accept() {
	for {
		conn, err := m.listener.AcceptUnix()
		if err != nil {
			return // leave has closed it, or will: without a socket nobody finds us
		}
		if !sameUser(conn) {
			conn.Close()
			continue
		}
		if !m.enter() {
			proto.Write(conn, proto.Response{Again: true})
			conn.Close()
			continue
		}
		go func() {
			defer m.quit()
			defer conn.Close()
			m.serve(conn)
		}()
	}
}

// sameUser says that the other end is our user's or root's.
func sameUser(conn *net.UnixConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	var cred *unix.Ucred
	raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	return err == nil && cred != nil && (cred.Uid == 0 || int(cred.Uid) == os.Geteuid())
}

// serve answers the one call of a connection.
func (m *monitor) serve(conn *net.UnixConn) {
	var q proto.Request
	if proto.Read(conn, &q) != nil {
		return
	}
	switch q.Op {
	case proto.OpAttach:
		m.attach(conn, &q)
		return
	case proto.OpWait:
		m.wait(conn, &q)
		return
	case proto.OpExecStart:
		m.execStart(conn, &q)
		return
	case proto.OpSpawn:
		m.spawn(conn, &q)
		return
	}
	var a proto.Response
	err := m.call(&q, &a)
	a.Error = proto.Encode(err)
	proto.Write(conn, a)
}

// call does what takes one answer. It does not end when the caller goes away.
func (m *monitor) call(q *proto.Request, a *proto.Response) (err error) {
	ctx := context.Background()
	switch q.Op {
	case proto.OpInit:
		return m.initialize(ctx)
	case proto.OpStart:
		if q.Keys != "" {
			m.mu.Lock()
			m.keys = q.Keys
			m.mu.Unlock()
		}
		return m.start(ctx, 0)
	case proto.OpStop:
		return m.stop(q.Signal, q.Timeout, "stop")
	case proto.OpRestart:
		return m.restart(ctx, q.Signal, q.Timeout)
	case proto.OpKill:
		return m.kill(q.Signal)
	case proto.OpPause:
		return m.pause(ctx)
	case proto.OpUnpause:
		return m.unpause()
	case proto.OpResize:
		return m.resize(q.Size)
	case proto.OpExecCreate:
		a.ID, err = m.execCreate(q.Spec)
	case proto.OpExec:
		a.Exec, err = m.execInspect(q.Exec)
	case proto.OpExecResize:
		return m.execResize(q.Exec, q.Size)
	case proto.OpExecKill:
		return m.execKill(q.Exec, q.Signal)
	case proto.OpExecs:
		a.IDs = m.execIDs()
	case proto.OpHealth:
		a.Health, err = m.healthcheck()
	case proto.OpUpdate:
		return m.update()
	case proto.OpRenamed:
		return m.renamed()
	case proto.OpConnect:
		return m.join(ctx, *q.Point)
	case proto.OpDisconnect:
		return m.part(ctx, q.Network)
	case proto.OpRetire:
		return m.retire()
	default:
		return conflict("the monitor does not know " + string(q.Op) + ": it runs another version of the program")
	}
	return err
}
