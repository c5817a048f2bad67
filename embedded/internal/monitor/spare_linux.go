package monitor

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/monitor/proto"
)

// A program that starts one container after the other finds a monitor ready: while one of them starts its
// container, the next is started, which waits for its first message. It waits proto.SpareLife at most, and
// ends with this process: it has nothing yet, no container, no lock and no file. The first
// start of a program makes none, nor does one that comes long after the one before, nor several at the same time:
// all processors are busy then, and what a spare prepares costs more than it spares.

// spareWithin is how soon after a start the next one must come for a third to be expected.
const spareWithin = 2 * time.Second

// spare is a monitor that has not been told whose it is.
type spare struct {
	control *os.File // our end
	pid     int
	ends    time.Time // when it may go
}

// controlPair makes the socket between a monitor and who has started it.
func controlPair() (ours, theirs *os.File, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return os.NewFile(uintptr(pair[0]), "control"), os.NewFile(uintptr(pair[1]), "control"), nil
}

// takeSpare is the control socket of a monitor that is there already; nil if there is none.
func (c *Client) takeSpare() *os.File {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.spare
	c.spare = nil
	if s == nil {
		return nil
	}
	c.children = append(c.children, s.pid)
	if time.Now().After(s.ends) {
		s.control.Close()
		return nil
	}
	return s.control
}

// prepareSpare notes a start, and starts a monitor for the next one. That it cannot is not told: the next one will see.
func (c *Client) prepareSpare() {
	now := time.Now()
	c.mu.Lock()
	soon := now.Sub(c.started) < spareWithin
	c.started = now
	wanted := soon && c.starts.Load() == 1 && c.spare == nil && c.seal != nil && !c.preparing && c.User == nil
	prog := c.seal
	c.preparing = c.preparing || wanted
	c.mu.Unlock()
	if !wanted {
		return
	}
	ours, theirs, err := controlPair()
	var pid int
	if err == nil {
		pid, err = c.exec(prog, theirs)
		theirs.Close()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.preparing = false
	switch {
	case err == nil && c.seal != nil:
		c.spare = &spare{control: ours, pid: pid, ends: now.Add(proto.SpareLife - time.Second)}
	case ours != nil:
		ours.Close()
		if pid != 0 {
			c.children = append(c.children, pid)
		}
	}
}

// endSpare ends the monitor that waits, and reaps it. c.mu is held.
func (c *Client) endSpare() {
	s := c.spare
	if s == nil {
		return
	}
	c.spare = nil
	s.control.Close()
	syscall.Kill(s.pid, syscall.SIGKILL)
	for {
		if _, err := syscall.Wait4(s.pid, nil, 0, nil); err != syscall.EINTR {
			return
		}
	}
}
