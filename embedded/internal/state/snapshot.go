package state

import "github.com/berthdev/berth/engine"

// Snapshot is what is known of a container at one moment. It and what it points to
// may be shared with other callers: it must not be written to.
type Snapshot struct {
	Config *Config
	Run    *Run  // nil when it has none in this boot
	Exit   *Exit // of the last run that is over, also one that ended with the machine; nil when there was none
	// Alive: the container has a living monitor.
	Alive bool
	// Lost: the container had a monitor which has died and left Run or at least its
	// directory: let the monitor's package recover it. A monitor that is just
	// starting or ending may look like this for a moment, so look again under the container's lock.
	Lost bool
	// Err says why Config, or Exit, could not be read. Without a Config of its own it has only an ID and a Name. Such a
	// container can be removed and nothing else; its status is dead.
	Err error
}

// Status is the container's state. One whose monitor has died has exited.
func (s *Snapshot) Status() engine.Status {
	switch {
	case s.Err != nil:
		return engine.StatusDead
	case s.Alive && s.Run != nil && s.Run.Status != "":
		return s.Run.Status
	case !s.Alive && s.Run != nil && s.Run.Status != engine.StatusCreated && s.Run.Status != engine.StatusInitialized:
		return engine.StatusExited
	case s.Exit != nil && !s.Exit.StartedAt.IsZero():
		return engine.StatusExited
	}
	return engine.StatusCreated
}
