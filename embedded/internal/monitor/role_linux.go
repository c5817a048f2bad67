package monitor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/embedded/internal/monitor/server"
	"github.com/berthdev/berth/engine"
)

// Role starts the monitors' program in another role, in a new user namespace with the
// IDs of [Client.User]. files are its descriptors from reexec.FD on; they stay the caller's. It runs while
// the namespace may have no IDs yet: it must wait until Role has returned.
func (c *Client) Role(role string, files ...*os.File) (*Helper, error) {
	prog, err := c.program()
	if err != nil {
		return nil, err
	}
	h := &Helper{c: c, said: newSaid()}
	h.pid, err = c.start(prog, role, os.Environ(), h.said, files...)
	c.mind(h.pid)
	if err != nil {
		h.Close()
		return nil, fmt.Errorf("start a process in a user namespace: %w", err)
	}
	return h, nil
}

// Helper is a process of [Client.Role]. Close it when nobody will ask why it has ended.
type Helper struct {
	c    *Client
	pid  int
	said *os.File
}

// Why tells why the process has ended, of which the caller knows that it has; "" is not known.
func (h *Helper) Why() string { return h.c.why(h.pid, h.said) }

// Close forgets what it has said. It goes on, if it has not ended.
func (h *Helper) Close() error { return h.said.Close() }

// RoleIn is Role in the user namespace of a container's monitor, which the processes of that
// container can be looked into from. Without a monitor it is engine.ErrNotRunning.
func (c *Client) RoleIn(ctx context.Context, id, role string, files ...*os.File) error {
	const op = "start a process beside the monitor of container"
	conn, _, err := c.open(ctx, id, op, &proto.Request{Op: proto.OpSpawn, Name: role}, false)
	if errors.Is(err, errNoMonitor) {
		return &engine.APIError{Engine: "embedded", Op: op, Object: id, Message: "it has none", Kind: engine.ErrNotRunning}
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(past) })
	defer stop()
	var fds []int
	for _, f := range files {
		fds = append(fds, int(f.Fd()))
	}
	var a proto.Response
	if _, _, err = conn.(*net.UnixConn).WriteMsgUnix([]byte{0}, unix.UnixRights(fds...), nil); err == nil {
		err = proto.Read(conn, &a)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("talk to the monitor: %w", err)
	}
	return a.Error.Decode(op, id)
}

// execMonitor starts a container's monitor, and gives its pid if it is a child of ours: where it shares a namespace of another container, beside that one's, since
// only there an ordinary user may enter it.
func (c *Client) execMonitor(ctx context.Context, id string, prog *sealed, control, said *os.File) (pid int, err error) {
	alone := func() (int, error) {
		pid, err := c.exec(prog, control, said)
		c.mind(pid)
		return pid, err
	}
	if c.User == nil {
		return alone()
	}
	other, err := c.shares(id)
	if err != nil {
		return 0, err
	}
	if other != "" {
		if err := c.RoleIn(ctx, other, server.Role, control); !errors.Is(err, engine.ErrNotRunning) {
			return 0, err
		}
		// It does not run: the start says so.
	}
	return alone()
}

// shares is the container whose namespaces the container joins; "" is none.
func (c *Client) shares(id string) (string, error) {
	oci, err := c.Store.OCI(id)
	if err != nil {
		return "", err
	}
	if oci.Linux == nil {
		return "", nil
	}
	for _, ns := range oci.Linux.Namespaces {
		if ref, ok := strings.CutPrefix(ns.Path, "container:"); ok {
			return c.Store.Find(ref)
		}
	}
	return "", nil
}
