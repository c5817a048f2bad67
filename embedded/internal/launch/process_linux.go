package launch

import (
	"os"
)

// Process is a process that was started: a child of this process, whatever
// namespace it is in. Nobody else may wait for it (no wait4(-1) in this program).
type Process struct {
	PID       int
	Pidfd     *os.File // closed by Wait
	StartTime uint64   // in clock ticks since boot, as in /proc/PID/stat: pids are reused
	Console   *os.File // the terminal's master side, which the caller closes; nil without terminal
}

// Status is how a process ended.
type Status struct {
	Code   int // exit code; 128 + Signal when a signal ended it
	Signal int // 0: it exited
}
