package monitor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/cgroup"
	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/embedded/internal/monitor/server"
	"github.com/berthdev/berth/embedded/internal/nproc"
	"github.com/berthdev/berth/engine"
)

// program gives the sealed program, which is made with the first call.
func (c *Client) program() (*sealed, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seal == nil {
		s, err := sealProgram(c.Exe, filepath.Join(c.Store.RunRoot(), "empty"))
		if err != nil {
			return nil, err
		}
		c.seal = s
	}
	return c.seal, nil
}

func (c *Client) closeSeal() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reap()
	c.endSpares()
	if c.seal == nil {
		return nil
	}
	err := c.seal.file.Close()
	c.seal = nil
	return err
}

// spawn starts the monitor of a container, or takes one that waits for its next, and returns when it listens, or why it does
// not: ErrConflict when there is another one. The monitor stays until [Client.letGo].
func (c *Client) spawn(ctx context.Context, id string) (*child, error) {
	prog, err := c.program()
	if err != nil {
		return nil, err
	}
	hello, err := json.Marshal(proto.Hello{
		Root: c.Store.Root(), Run: filepath.Dir(c.Store.RunRoot()), ID: id,
		NoForwardCheck: c.NoForwardCheck, Rootless: c.Rootless, Die: c.die,
	})
	if err != nil {
		return nil, fmt.Errorf("start the monitor: %w", err)
	}
	if m := c.takeSpare(); m != nil {
		if _, err := m.control.Write(hello); err == nil {
			if silent, err := c.welcome(ctx, id, m); err == nil {
				return m, nil
			} else if !silent {
				return nil, err
			}
		}
		m.control.Close() // it has just gone
	}
	ours, theirs, err := controlPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	if c.User == nil {
		_, err = ours.Write(hello) // it waits in the socket
	}
	m := &child{control: ours, said: newSaid()}
	if err == nil {
		m.pid, err = c.execMonitor(ctx, id, prog, theirs, m.said)
	}
	if err == nil && c.User != nil {
		_, err = ours.Write(hello) // what comes before it may run while the namespace has no IDs yet
	}
	theirs.Close()
	if err == nil {
		_, err = c.welcome(ctx, id, m)
	} else {
		err = fmt.Errorf("start the monitor: %w", err)
	}
	if err != nil {
		ours.Close()
		m.said.Close()
		return nil, err
	}
	return m, nil
}

// welcome waits until a monitor listens. After an error its control socket is closed; silent is one that
// has ended without an answer.
func (c *Client) welcome(ctx context.Context, id string, m *child) (silent bool, err error) {
	ours := m.control
	stop := context.AfterFunc(ctx, func() { ours.SetReadDeadline(past) })
	buf := make([]byte, 8<<10)
	n, err := ours.Read(buf)
	stop()
	var a proto.Response
	if err == nil {
		err = json.Unmarshal(buf[:n], &a)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	} else if err != nil {
		silent = true
		text := "it has ended without a word: " + err.Error()
		if why := c.why(m.pid, m.said); why != "" {
			text = "it has ended: " + why
		}
		err = &engine.APIError{Engine: "embedded", Op: "start monitor of container", Object: id, Message: text, Kind: engine.ErrUnavailable}
	} else {
		err = a.Error.Decode("start monitor of container", id)
	}
	if err != nil {
		ours.Close()
	}
	return silent, err
}

// monitors is the cgroup of all monitors.
const monitors = "berth-monitor"

// exec starts a monitor. It is no child that anybody waits for: the caller gives it to mind, and those that have ended are reaped at the next call.
func (c *Client) exec(prog *sealed, control, said *os.File) (pid int, err error) {
	// Two threads' worth of caches are enough, also on machines with many CPUs: their number need not be looked for in cgroups.
	return c.start(prog, server.Role, []string{"PATH=" + os.Getenv("PATH"), "GOMAXPROCS=2", "GODEBUG=containermaxprocs=0"}, said, control)
}

// start starts the program in a role. said is its standard error, if it is not nil; files are its descriptors from 3 on.
func (c *Client) start(prog *sealed, role string, env []string, said *os.File, files ...*os.File) (pid int, err error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	stderr := cmp.Or(c.stderr, said, null)
	attr := &syscall.ProcAttr{
		Dir:   "/",
		Env:   env,
		Files: []uintptr{null.Fd(), null.Fd(), stderr.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	}
	for _, f := range files {
		attr.Files = append(attr.Files, f.Fd())
	}
	start := func(cgroupFD int) (err error) {
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = cgroupFD > 0, cgroupFD
		if c.User == nil {
			pid, err = forkExec(prog.file, []string{role}, attr)
			return err
		}
		fd, err := aside(prog.file, attr.Files)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		pid, err = c.User.Start(fmt.Sprintf("/proc/self/fd/%d", fd), []string{role}, attr)
		return err
	}
	// Whatever stops or limits this program's cgroup leaves the monitor alone, where that can be done.
	if err := cgroup.StartIn(monitors, start); err != nil {
		if pid != 0 {
			return pid, err
		}
		if err := start(0); err != nil {
			return 0, nproc.Explain(err)
		}
	}
	return pid, nil
}

// mind reaps the children that have ended, and another one when it has.
func (c *Client) mind(pid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reap()
	if pid != 0 {
		c.children = append(c.children, pid)
	}
}

// forkExec executes a program that is named by its descriptor alone.
//
// Between fork and exec the child moves its descriptors about (package syscall): to the
// places of attr.Files, by way of numbers above the highest of these, and the
// pipe that it would tell an error through up there too. What it finds at these numbers it
// closes, which may be the program: the child gets it at one that is out of their way.
func forkExec(prog *os.File, argv []string, attr *syscall.ProcAttr) (pid int, err error) {
	fd, err := aside(prog, attr.Files)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	return syscall.ForkExec(fmt.Sprintf("/proc/self/fd/%d", fd), argv, attr)
}

// aside is the program at a descriptor that is out of the way of files, for forkExec.
func aside(prog *os.File, files []uintptr) (fd int, err error) {
	high := uintptr(len(files))
	for _, fd := range files {
		high = max(high, fd)
	}
	moved := int(high) + 1 + len(files) + 2 // each of files at most once, and the pipe
	if fd, err = unix.FcntlInt(prog.Fd(), unix.F_DUPFD_CLOEXEC, moved); err != nil {
		return -1, os.NewSyscallError("dup", err)
	}
	return fd, nil
}

// reap forgets the monitors that have ended. c.mu is held.
func (c *Client) reap() {
	alive := c.children[:0]
	for _, pid := range c.children {
		var ws syscall.WaitStatus
		if got, err := syscall.Wait4(pid, &ws, syscall.WNOHANG, nil); got == 0 && (err == nil || err == syscall.EINTR) {
			alive = append(alive, pid)
		}
	}
	c.children = alive
}
