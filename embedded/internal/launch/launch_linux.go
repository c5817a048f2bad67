package launch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// child is a child that is being started, as the parent sees it.
type child struct {
	b       *builder
	flags   uintptr // of clone
	cgroup  int     // cgroup v2
	joins   bool    // it enters namespaces that exist
	proc    *specs.Process
	mapIDs  func(pid int) error // nil: there is nothing to map
	ready   func(pid int, pidfd *os.File) error
	alone   bool     // this thread has nothing else to do until the command runs: it is the one that waits
	report  *os.File // our end of the pipe that the child reports on
	sync    *os.File // our end of the pipe that the child waits on
	console *os.File // our end of the socket that the terminal comes over
}

// pipes makes the pipes to the child; they are the first descriptors of the program.
func (c *child) pipes() error {
	b := c.b
	b.parentFD("the pipe for the report", func() (int, error) {
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			return -1, err
		}
		if c.alone {
			c.report = os.NewFile(uintptr(p[0]), "report")
		} else {
			c.report = pollable(p[0], "report")
		}
		return p[1], nil
	})
	b.sync = b.parentFD("the pipe from the parent", func() (int, error) {
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			return -1, err
		}
		c.sync = os.NewFile(uintptr(p[1]), "sync")
		return p[0], nil
	})
	if c.proc.Terminal {
		b.console = b.parentFD("the socket for the terminal", func() (int, error) {
			p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return -1, err
			}
			c.console = os.NewFile(uintptr(p[0]), "console")
			return p[1], nil
		})
	}
	if b.failed != nil {
		return b.failed
	}
	return nil
}

// close closes our ends.
func (c *child) close() {
	for _, f := range []*os.File{c.report, c.sync, c.console} {
		if f != nil {
			f.Close()
		}
	}
}

// start makes the child and stays with it until execve.
func (c *child) start() (*Process, error) {
	m, err := c.b.link(c.b.fds)
	if err != nil {
		return nil, err
	}
	if !c.b.closeRange {
		m.lastFD = greatestFD()
	}
	if c.sharable() {
		return c.startShared(m)
	}
	var f forked
	if c.b.reexec || !canFork {
		f, err = stage(c.b)
	} else {
		f, err = forkAndRun(m, c.flags, c.cgroup, c.b.kernel)
	}
	c.b.close() // our copies of the child's ends: the pipe must end when the child does
	if err != nil {
		return nil, err
	}
	p := &Process{PID: f.pid, Pidfd: f.pidfd}
	if err := c.follow(p, f); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// follow does the parent's part of the start.
func (c *child) follow(p *Process, f forked) error {
	for range f.forks {
		err := c.next(p)
		f.socket.Close()
		if err != nil {
			return err
		}
	}
	if c.cgroup > 0 && !f.inCgroup {
		if err := enterCgroup(c.cgroup, p.PID); err != nil {
			return err
		}
	}
	if adj := c.proc.OOMScoreAdj; adj != nil {
		file := fmt.Sprintf("/proc/%d/oom_score_adj", p.PID)
		if err := writeFile(file, strconv.Itoa(*adj)); err != nil {
			return failure("set the OOM score", err)
		}
	}
	for range c.b.Forks {
		if err := c.goOn(); err != nil {
			return err
		}
		if err := c.next(p); err != nil {
			return err
		}
	}
	if c.mapIDs != nil {
		if err := c.mapIDs(p.PID); err != nil {
			return failure("write the id maps", err)
		}
	}
	var err error
	if p.StartTime, err = StartTime(p.PID); err != nil {
		return failure("read the start time", err)
	}
	if c.b.overlaps {
		if err := c.goOn(); err != nil {
			return err
		}
	}
	if c.ready != nil {
		if err := c.ready(p.PID, p.Pidfd); err != nil {
			return c.because(err)
		}
	}
	if err := c.goOn(); err != nil {
		return err
	}
	if err := c.result(); err != nil {
		return err
	}
	if c.console != nil {
		if p.Console, err = receiveFile(c.console); err != nil {
			return failure("receive the terminal", err)
		}
	}
	return nil
}

// goOn lets the child go on. That it cannot be told is no error here: why the child has ended is in its report.
func (c *child) goOn() error {
	c.sync.Write([]byte{1})
	return nil
}

// next takes over from a child to the child that it made in its place.
func (c *child) next(p *Process) error {
	var head [reportHead]byte
	if _, err := io.ReadFull(c.report, head[:]); err != nil {
		return c.ended(p)
	}
	if binary.NativeEndian.Uint32(head[:]) != reportFork {
		return c.failure(head)
	}
	pid := int(binary.NativeEndian.Uint32(head[4:]))
	// It is our child now, which nobody else reaps: the pid stays its own.
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return failure("open the child", err)
	}
	old := p.Pidfd
	p.PID, p.Pidfd = pid, newPidfd(fd)
	_, err = wait(old)
	old.Close()
	return err
}

// because tells why the parent's part has failed with err: a child that went on meanwhile may have failed first.
func (c *child) because(err error) error {
	if !c.b.overlaps {
		return err
	}
	c.report.SetReadDeadline(time.Now().Add(50 * time.Millisecond)) // what it reported is there already, or it lives
	defer c.report.SetReadDeadline(time.Time{})
	var head [reportHead]byte
	if _, none := io.ReadFull(c.report, head[:]); none != nil {
		return err
	}
	return c.failure(head)
}

// result waits for the end of the pipe, which is execve, or for a report.
func (c *child) result() error {
	var head [reportHead]byte
	n, err := io.ReadFull(c.report, head[:])
	if n == 0 && err == io.EOF {
		return nil
	}
	if err != nil {
		return failure("read the child's report", err)
	}
	return c.failure(head)
}

// ended tells how a child ended that has reported nothing.
func (c *child) ended(p *Process) error {
	s, err := p.Wait()
	if err != nil {
		return failure("start a child", err)
	}
	return &Error{Step: "start a child", Detail: fmt.Sprintf("it ended with %d", s.Code)}
}

// failure reads the rest of a report of a step that failed.
func (c *child) failure(head [reportHead]byte) error {
	text, _ := io.ReadAll(c.report)
	return c.failureOf(head, text)
}

// failureOf is the error of a report with that text.
func (c *child) failureOf(head [reportHead]byte, text []byte) error {
	i := int(binary.NativeEndian.Uint32(head[:]))
	e := &Error{Errno: syscall.Errno(binary.NativeEndian.Uint32(head[4:]))}
	if i >= len(c.b.Steps) {
		return &Error{Step: "start a child", Detail: "malformed report"}
	}
	s := c.b.Steps[i]
	e.Step, e.Detail = s.Name, s.Detail
	if msg := kernelText(string(text)); msg != "" {
		e.Detail = msg
	}
	switch {
	case strings.HasPrefix(s.Name, executing):
		e.Kind = commandKind(e.Errno)
	case s.Op == "setns":
		return notRunning(e)
	case e.Errno == syscall.ENOTDIR, isSysctl(s.Name) && (e.Errno == syscall.ENOENT || e.Errno == syscall.EINVAL):
		e.Kind = engine.ErrInvalid // a path through a file, a setting that there is not or that has no such value
	}
	return e
}

// kernelText is what a file system context said, without the letters for its levels.
func kernelText(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		if len(line) > 2 && line[1] == ' ' {
			line = line[2:]
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

// kill ends a child that shall not be, and reaps it.
func (p *Process) kill() {
	conn, err := p.Pidfd.SyscallConn()
	if err == nil {
		conn.Control(func(fd uintptr) { unix.PidfdSendSignal(int(fd), unix.SIGKILL, nil, 0) })
		p.Wait()
	}
	p.Pidfd.Close()
	if p.Console != nil {
		p.Console.Close()
	}
}

// enterCgroup moves a process into the cgroup v2 of a descriptor.
func enterCgroup(dir, pid int) error {
	fd, err := unix.Openat(dir, "cgroup.procs", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		_, err = unix.Write(fd, []byte(strconv.Itoa(pid)))
		unix.Close(fd)
	}
	if err != nil {
		return failure("enter the cgroup", err)
	}
	return nil
}

// writeFile writes to a file that exists, in one write.
func writeFile(path, text string) error {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	_, err = unix.Write(fd, []byte(text))
	return errors.Join(err, unix.Close(fd))
}

// receiveFile takes the descriptor that has been sent over a socket.
func receiveFile(socket *os.File) (*os.File, error) {
	var data [8]byte
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(int(socket.Fd()), data[:], control, unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return nil, err
	}
	msgs, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(msgs) != 1 {
		return nil, errors.New("no descriptor came")
	}
	fds, err := unix.ParseUnixRights(&msgs[0])
	if err != nil {
		return nil, err
	}
	return pollable(fds[0], "console"), nil
}

// pollable makes a file whose reads the runtime polls for.
func pollable(fd int, name string) *os.File {
	unix.SetNonblock(fd, true)
	return os.NewFile(uintptr(fd), name)
}

// greatestFD is the greatest descriptor that is open, with room for those that other threads open meanwhile.
func greatestFD() int {
	n := 1023
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil {
			n = max(n, fd+64)
		}
	}
	return n
}
