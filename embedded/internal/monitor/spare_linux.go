package monitor

import (
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/monitor/proto"
)

// A program that starts one container after the other finds a monitor ready. One whose container has gone waits for another
// one, if it is told to: proto.Keep. And beside a start that has found none of these, the next one
// is started, and waits for its first message. Both wait proto.SpareLife at most, and
// end with this process: they have nothing, no container, no lock and no file. The first
// start of a program makes none, nor does one that comes long after the one before. None is started beside several starts at the same time:
// all processors are busy then, and what it prepares costs more than it spares.

// spareWithin is how soon after a start the next one must come for a third to be expected.
const spareWithin = 2 * time.Second

// keepMost is how many monitors with containers may wait for others: the last ones. A descriptor is open for each.
const keepMost = 8

// child is a monitor that this process has started.
type child struct {
	control *os.File  // our end
	said    *os.File  // its standard error, until it is let go; nil is none
	pid     int       // 0: another process has started it for us
	ends    time.Time // when it may go, if it has had no container yet
	again   bool      // it has had another container before
}

// controlPair makes the socket between a monitor and who has started it.
func controlPair() (ours, theirs *os.File, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return os.NewFile(uintptr(pair[0]), "control"), os.NewFile(uintptr(pair[1]), "control"), nil
}

// letGo tells a monitor that we have connected to it, or will not.
func (c *Client) letGo(m *child) {
	m.said.Close()
	m.said = nil
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	soon := now.Sub(c.let) < spareWithin
	c.let = now
	if !soon || c.seal == nil || m.pid == 0 || c.User != nil {
		m.control.Close()
		return
	}
	if _, err := m.control.Write([]byte(proto.Keep)); err != nil {
		m.control.Close()
		return
	}
	if len(c.kept) == keepMost {
		c.kept[0].control.Close()
		c.kept = slices.Delete(c.kept, 0, 1)
	}
	c.kept = append(c.kept, m)
}

// takeSpare is a monitor that is there already; nil if there is none.
func (c *Client) takeSpare() *child {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.kept) - 1; i >= 0; i-- {
		m := c.kept[i]
		free, gone := m.free(0)
		if free || gone {
			c.kept = slices.Delete(c.kept, i, i+1)
		}
		if free {
			m.again = true
			return m
		}
		if gone {
			m.control.Close()
		}
	}
	m := c.spare
	c.spare = nil
	if m == nil {
		return nil
	}
	c.children = append(c.children, m.pid)
	if time.Now().After(m.ends) {
		m.control.Close()
		return nil
	}
	return m
}

// free says that a monitor waits for another container, or that it has ended. flags are of recv(2).
func (m *child) free(flags int) (free, gone bool) {
	raw, err := m.control.SyscallConn()
	if err != nil {
		return false, true
	}
	var b [len(proto.Free)]byte
	var n int
	cerr := raw.Control(func(fd uintptr) { n, _, err = unix.Recvfrom(int(fd), b[:], flags|unix.MSG_DONTWAIT) })
	if cerr != nil || err != nil {
		return false, err != unix.EAGAIN && err != unix.EINTR
	}
	return string(b[:n]) == proto.Free, n == 0
}

// prepareSpare starts a monitor for the start after this one, where one is to be expected. That it cannot is not told: the next one will see.
func (c *Client) prepareSpare(m *child) {
	now := time.Now()
	c.mu.Lock()
	wanted := now.Sub(c.let) < spareWithin && c.starts.Load() == 1 && c.spare == nil && !m.again && c.seal != nil && !c.preparing && c.User == nil
	prog := c.seal
	c.preparing = c.preparing || wanted
	c.mu.Unlock()
	if !wanted {
		return
	}
	ours, theirs, err := controlPair()
	var pid int
	if err == nil {
		pid, err = c.exec(prog, theirs, nil)
		theirs.Close()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.preparing = false
	switch {
	case err == nil && c.seal != nil:
		c.spare = &child{control: ours, pid: pid, ends: now.Add(proto.SpareLife - time.Second)}
	case ours != nil:
		ours.Close()
		if pid != 0 {
			c.children = append(c.children, pid)
		}
	}
}

// endSpares ends the monitors that wait, and reaps them; those with containers end with these. c.mu is held.
func (c *Client) endSpares() {
	for _, m := range c.kept {
		free, _ := m.free(0)
		m.control.Close()
		// One that is reaped has ended before: its pid may be another process's.
		if i := slices.Index(c.children, m.pid); free && i >= 0 {
			c.children = slices.Delete(c.children, i, i+1)
			end(m.pid)
		}
	}
	c.kept = nil
	if m := c.spare; m != nil {
		c.spare = nil
		m.control.Close()
		end(m.pid)
	}
}

// end kills a child and reaps it.
func end(pid int) {
	syscall.Kill(pid, syscall.SIGKILL)
	for {
		if _, err := syscall.Wait4(pid, nil, 0, nil); err != syscall.EINTR {
			return
		}
	}
}
