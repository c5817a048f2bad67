package state

// Snapshot is what is known of a container at one moment. It and what it points to
// may be shared with other callers: it must not be written to.
type Snapshot struct {
	Config *Config
	Run    *Run  // nil when it has none in this boot
	Exit   *Exit // of the last run that is over; nil when it never ran to an end
	// Alive: the container has a living monitor.
	Alive bool
	// Lost: Run says that the container lives, and its monitor is dead: let the monitor's package recover it.
	Lost bool
	// Err says why Config could not be read; Config then has only an ID and a Name. Such a container can be removed and nothing else.
	Err error
}
