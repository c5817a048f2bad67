package launch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// startExec starts a child that has little memory, and stays with it until execve.
func (c *child) startExec() (*Process, error) {
	b := c.b
	if b.reexec || !canFork || !b.clone3 || b.Forks != 1 {
		return c.start()
	}
	m, err := b.link(b.fds)
	if err != nil {
		return nil, err
	}
	if !b.closeRange {
		m.lastFD = greatestFD()
	}
	m, where, drop, err := b.moved(m)
	if err != nil {
		return nil, err
	}
	defer drop()
	pid, pidfd, err := forkSparing(m, without(spared(), where), c.cgroup)
	if errors.Is(err, unix.ENOSYS) { // clone3 is hidden by a seccomp filter around us
		b.clone3 = false
		return c.start()
	}
	b.close() // our copies of the child's ends: the pipe must end when the child does
	if err != nil {
		return nil, err
	}
	p, err := c.followExec(pid, pidfd)
	if err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// followExec does the parent's part. The first child, of pidfd, makes the second one in its place, and ends. Neither waits
// for us beyond our word, which it gets in advance: what it would tell, that this process has ended,
// the last step of the program before execve looks at.
func (c *child) followExec(pid, pidfd int) (*Process, error) {
	first := func() *Process { return &Process{PID: pid, Pidfd: newPidfd(pidfd)} }
	if adj := c.proc.OOMScoreAdj; adj != nil {
		if err := writeFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), strconv.Itoa(*adj)); err != nil {
			return first(), failure("set the OOM score", err)
		}
	}
	c.sync.Write([]byte{1, 1}) // that it cannot be told is no error here: why the child has ended is in its report
	var head [reportHead]byte
	if _, err := io.ReadFull(c.report, head[:]); err != nil {
		p := first()
		return p, c.ended(p)
	}
	if binary.NativeEndian.Uint32(head[:]) != reportFork {
		// A second child that fails at once may be faster than the first one's word of it, which is the last one then.
		text, _ := io.ReadAll(c.report)
		if n := len(text) - reportHead; n >= 0 && binary.NativeEndian.Uint32(text[n:]) == reportFork {
			reapPID(int(binary.NativeEndian.Uint32(text[n+4:])))
			text = text[:n]
		}
		return first(), c.failureOf(head, text)
	}
	second := int(binary.NativeEndian.Uint32(head[4:]))
	// It is our child now, which nobody else reaps: the pid stays its own.
	fd, err := unix.PidfdOpen(second, 0)
	if err != nil {
		return first(), failure("open the child", err)
	}
	p := &Process{PID: second, Pidfd: newPidfd(fd)}
	err = c.result()
	if werr := reap(pidfd); err == nil {
		err = werr
	}
	if err == nil && c.console != nil {
		if p.Console, err = receiveFile(c.console); err != nil {
			err = failure("receive the terminal", err)
		}
	}
	return p, err
}

// reapPID waits for a child that has failed: a zombie would keep the PID namespace that it has joined from ending.
func reapPID(pid int) {
	for {
		if _, err := unix.Wait4(pid, nil, 0, nil); err != unix.EINTR {
			return
		}
	}
}

// reap waits for a child that has nothing left to do, and closes its pidfd.
func reap(pidfd int) error {
	defer unix.Close(pidfd)
	for {
		switch err := unix.Waitid(unix.P_PIDFD, pidfd, nil, unix.WEXITED, nil); err {
		case nil:
			return nil
		case unix.EINTR:
		default:
			return os.NewSyscallError("waitid", err)
		}
	}
}
