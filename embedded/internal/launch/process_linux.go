package launch

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Process is a process that was started: a child of this process, whatever
// namespace it is in. Nobody else may wait for it (no wait4(-1) in this program).
type Process struct {
	PID       int
	Pidfd     *os.File // the caller closes it when Wait has returned
	StartTime uint64   // in clock ticks since boot, as in /proc/PID/stat: pids are reused
	Console   *os.File // the terminal's master side, which the caller closes; nil without terminal

	once   sync.Once
	status Status
	err    error
}

// Status is how a process ended.
type Status struct {
	Code   int // exit code; 128 + Signal when a signal ended it
	Signal int // 0: it exited
}

// Wait waits for the end of the process and reaps it. It holds no thread while it
// waits. Any number of calls, also at the same time, get the same answer.
func (p *Process) Wait() (Status, error) {
	p.once.Do(func() { p.status, p.err = wait(p.Pidfd) })
	return p.status, p.err
}

// wait waits for the child of pidfd.
func wait(pidfd *os.File) (Status, error) {
	conn, err := pidfd.SyscallConn()
	if err != nil {
		return Status{}, fmt.Errorf("wait for a process: %w", err)
	}
	var info unix.Siginfo
	var werr error
	err = conn.Read(func(fd uintptr) bool {
		for {
			werr = unix.Waitid(unix.P_PIDFD, int(fd), &info, unix.WEXITED, nil)
			if werr != unix.EINTR {
				break
			}
		}
		return werr != unix.EAGAIN // the pidfd is non-blocking: readable when the process has ended
	})
	if err == nil {
		err = werr
	}
	if err != nil {
		return Status{}, fmt.Errorf("wait for a process: %w", err)
	}
	return statusOf(&info), nil
}

// newPidfd makes a pidfd that the runtime polls, so that waiting takes no thread.
func newPidfd(fd int) *os.File {
	unix.CloseOnExec(fd)
	unix.SetNonblock(fd, true)
	return os.NewFile(uintptr(fd), "pidfd")
}

// StartTime is the time when a process started, in clock ticks since boot. With the pid it tells processes apart.
func StartTime(pid int) (uint64, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, fmt.Errorf("read start time of process %d: %w", pid, err)
	}
	// The name, in parentheses, may hold spaces and parentheses.
	_, rest, _ := strings.Cut(string(b[strings.LastIndexByte(string(b), ')')+1:]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 20 {
		return 0, fmt.Errorf("read start time of process %d: malformed stat", pid)
	}
	return strconv.ParseUint(fields[19], 10, 64)
}
