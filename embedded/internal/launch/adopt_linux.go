package launch

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Adopt gives a child that somebody else has started, and that was reparented to this process,
// as a [Process] without a terminal.
func Adopt(pid int) (*Process, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	p := &Process{PID: pid, Pidfd: newPidfd(fd)}
	if p.StartTime, err = StartTime(pid); err != nil {
		p.Pidfd.Close()
		return nil, err
	}
	return p, nil
}
