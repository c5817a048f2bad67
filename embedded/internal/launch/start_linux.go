package launch

import "golang.org/x/sys/unix"

// Start starts a container's first process and returns when execve has succeeded.
// Otherwise nothing is left of it, and the error is an [*Error] naming the step, an
// *engine.UnsupportedError or *engine.InvalidError naming the option, or what
// Prepared returned.
//
// The process ends with SIGKILL when the thread ends that called Start: the calling
// goroutine must not be locked to a thread and end so. A program with changed
// privileges (set-user-ID, file capabilities) clears that: the caller must not rely on it alone.
func Start(cfg Config) (*Process, error) {
	c, err := prepare(&cfg, newHost(cfg.options))
	if err != nil {
		return nil, err
	}
	defer c.close()
	return c.start()
}

// prepare builds the program of Start. After an error nothing is open.
func prepare(cfg *Config, h host) (*child, error) {
	if err := refuse(cfg.Spec); err != nil {
		return nil, err
	}
	ns, err := namespaces(cfg.Spec.Linux.Namespaces)
	if err != nil {
		return nil, err
	}
	if cfg.Ahead != nil && cfg.Ahead.Network && ns.create&unix.CLONE_NEWNET != 0 {
		ns.create &^= unix.CLONE_NEWNET
		ns.net = true
	}
	c := &child{b: newBuilder(h), cgroup: cfg.CgroupFD, proc: cfg.Spec.Process, ready: cfg.Prepared, joins: len(ns.join) > 0}
	c.b.waits = cfg.Ahead != nil
	c.b.staged = h.reexec || !canFork || ns.forks()
	if ns.create&unix.CLONE_NEWUSER != 0 {
		c.mapIDs = cfg.MapIDs
		if c.mapIDs == nil {
			if len(cfg.Spec.Linux.UIDMappings) == 0 || len(cfg.Spec.Linux.GIDMappings) == 0 {
				return nil, invalid("linux.uidMappings", "a new user namespace needs id maps")
			}
			c.mapIDs = func(pid int) error { return writeMaps(pid, cfg.Spec.Linux, h.privileged) }
		}
	}
	if !c.b.staged {
		c.flags = ns.create &^ unix.CLONE_NEWCGROUP // which is made when the cgroups have been entered
	}
	c.b.overlaps = c.ready != nil && c.sharable() && looksInto()
	if err = c.pipes(); err == nil {
		err = c.b.build(cfg, ns)
	}
	if err == nil && c.b.waits && !h.dry {
		if c.b.made, err = cfg.Ahead.Wait(); err == nil {
			c.cgroup = c.b.made.CgroupFD
			err = c.b.openDelayed()
		}
	}
	if err != nil {
		c.b.close()
		c.close()
		return nil, err
	}
	return c, nil
}

// Program is the printable list of steps that Start would run, without opening anything.
func Program(cfg Config) (string, error) {
	h := newHost(cfg.options)
	h.dry = true
	c, err := prepare(&cfg, h)
	if err != nil {
		return "", err
	}
	return c.b.String(), nil
}
