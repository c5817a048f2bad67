package launch

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// Exec starts a process in a running container, in all of its namespaces, and returns
// when execve has succeeded. Errors are as Start's, and an [*Error] of the kind
// engine.ErrNotRunning when the container has ended. The process ends with the thread, as Start says. Its
// StartTime is not read.
func Exec(cfg ExecConfig) (*Process, error) {
	c, done, err := prepareJoining(&cfg, newHost(cfg.options), (*builder).buildExec)
	if err != nil {
		return nil, err
	}
	defer done()
	return c.startExec()
}

// prepareJoining builds the program of Exec, or of a forker's. done closes what it has opened.
func prepareJoining(cfg *ExecConfig, h host, build func(*builder, *ExecConfig) error) (c *child, done func(), err error) {
	if cfg.Process == nil {
		return nil, nil, invalid("process", "it is needed")
	}
	if err := refuseProcess(cfg.Process); err != nil {
		return nil, nil, err
	}
	c = &child{b: newBuilder(h), cgroup: cfg.CgroupFD, proc: cfg.Process, joins: true, alone: true}
	b := c.b
	done = func() {
		b.close()
		c.close()
	}
	err = c.pipes()
	if err == nil {
		err = build(b, cfg)
	}
	if err == nil && b.failed != nil {
		err = b.failed
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	return c, done, nil
}

// buildExec makes the program of a process in a running container.
func (b *builder) buildExec(cfg *ExecConfig) error {
	b.staged = true // a process of another pid namespace is a child of one that has joined it
	pidfd := b.parentFD("the container", func() (int, error) {
		if cfg.ContainerPidfd != nil {
			return dup(cfg.ContainerPidfd)
		}
		return unix.PidfdOpen(cfg.Container, 0)
	})
	if b.failed != nil {
		return notRunning(b.failed)
	}
	flags := uintptr(unix.CLONE_NEWNS)
	if !b.dry {
		var err error
		if flags, err = differing(cfg.Container); err == nil {
			// The pid was still this container's when its namespaces were read.
			err = unix.PidfdSendSignal(b.fds[pidfd.N], 0, nil, 0)
		}
		if err != nil {
			return notRunning(failure("look at the container's namespaces", err))
		}
	}
	userns := flags&unix.CLONE_NEWUSER != 0
	if cfg.UserNS && !userns {
		return invalid("UserNS", "the container has no user namespace of its own")
	}
	b.begin(cfg.TasksFiles, cfg.Process, true, func() { b.joinContainer(pidfd, flags) })
	if userns {
		b.becomeRoot(cfg.NoRoot)
	}
	return b.execute(cfg, userns)
}

// execute makes the command out of a process that is in the container.
func (b *builder) execute(cfg *ExecConfig, userns bool) error {
	b.add("start a session", "setsid")
	b.add("set the umask", "umask", num(0o22))
	b.root = b.open("open the root", "openat", atCWD, b.str("/"), num(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC))
	b.stdio(cfg.Stdin, cfg.Stdout, cfg.Stderr, cfg.Process, val{})
	return b.finish(finishing{
		process: cfg.Process, seccomp: cfg.Seccomp, compiled: cfg.Filter, personality: cfg.Personality, makeCwd: cfg.MakeCwd,
		userns:     userns,
		denyGroups: userns && setgroupsDenied(cfg.Container),
	})
}

// joinContainer joins the container's namespaces through its pidfd: nothing in the
// container is opened, no path of its /proc is used. With privilege its user namespace is the
// last: the others may belong to the host's. What follows the join runs in a
// process that the container could see, so that has been forbidden before.
func (b *builder) joinContainer(pidfd val, flags uintptr) {
	join := func(f uintptr) {
		if f != 0 {
			b.add("join the container's namespaces", "setns", pidfd, num(f))
		}
	}
	if b.privileged {
		join(flags &^ unix.CLONE_NEWUSER)
		join(flags & unix.CLONE_NEWUSER)
	} else {
		join(flags)
	}
}

// notRunning gives the errors that say so that kind.
func notRunning(e *Error) error {
	if e.Errno == unix.ESRCH || e.Errno == unix.ENOENT {
		e.Kind = engine.ErrNotRunning
	}
	return e
}

// setgroupsDenied says that a process's user namespace forbids setgroups.
func setgroupsDenied(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/setgroups")
	return err == nil && string(b) == "deny\n"
}
