package launch

import "os"

// forked is a child that runs a program.
type forked struct {
	pid      int
	pidfd    *os.File
	inCgroup bool     // it is in the cgroup v2 that was asked for
	forks    int      // how often it forks before it waits for the parent
	socket   *os.File // to be closed when it has; nil is none
}
