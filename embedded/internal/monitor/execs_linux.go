package monitor

import (
	"slices"
	"sync"

	"github.com/berthdev/berth/engine"
)

// execs is what a client remembers of the execs that it has made: what it needs not ask for.
type execs struct {
	mu   sync.Mutex
	made map[string]*made
}

// made is an exec that this client has made.
type made struct {
	container string
	user      string
	command   []string
	state     *engine.ExecState // its last one, nobody has been told of yet
}

// maxExecs bounds how many are remembered; what has been forgotten is asked for.
const maxExecs = 1024

func (x *execs) created(exec, container string, spec *engine.ExecSpec) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.made == nil || len(x.made) >= maxExecs {
		x.made = make(map[string]*made)
	}
	x.made[exec] = &made{container: container, user: spec.User, command: slices.Clone(spec.Cmd)}
}

// container is the one that an exec is in; "" is not known.
func (x *execs) container(exec string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if m := x.made[exec]; m != nil {
		return m.container
	}
	return ""
}

// over is told how an exec ended by the end of its stream.
func (x *execs) over(exec, container string, tty bool, code, pid int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if m := x.made[exec]; m != nil {
		m.state = &engine.ExecState{
			ID: exec, ContainerID: container, Started: true, ExitCode: &code, PID: pid,
			TTY: tty, User: m.user, Command: m.command,
		}
	}
}

// take is the last state of an exec whose stream has told it. It is given once, to the one who has read the
// stream to its end and wants to know how it was: later the monitor decides whether there still is such an exec.
func (x *execs) take(exec string) *engine.ExecState {
	x.mu.Lock()
	defer x.mu.Unlock()
	m := x.made[exec]
	if m == nil || m.state == nil {
		return nil
	}
	st := m.state
	m.state = nil
	return st
}
