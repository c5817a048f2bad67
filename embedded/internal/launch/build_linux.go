package launch

import (
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// build makes the program of a container's first process, in the order that doc.go explains.
func (b *builder) build(cfg *Config, ns spaces) error {
	s := cfg.Spec
	if s.Hostname != "" && !ns.has(unix.CLONE_NEWUTS) || s.Domainname != "" && !ns.has(unix.CLONE_NEWUTS) {
		return invalid("hostname", "a uts namespace is needed")
	}
	b.begin(cfg.TasksFiles, s.Process, len(ns.join) > 0, func() { b.enter(ns) })
	if ns.has(unix.CLONE_NEWUSER) {
		b.becomeRoot(cfg.NoRoot)
	}
	b.add("start a session", "setsid")
	b.add("set the umask", "umask", num(0o22))

	plan, err := b.plan(cfg, ns)
	if err != nil {
		return err
	}
	b.propagation(s.Linux.RootfsPropagation)
	if err := b.sources(cfg, plan); err != nil { // paths of the host
		return err
	}
	if err := b.detached(plan); err != nil { // file systems that nothing leads to yet
		return err
	}
	b.enterRoot()
	b.attachAll(plan)
	if err := b.inside(cfg, plan, ns); err != nil {
		return err
	}
	if err := b.finish(finishing{
		process: s.Process, seccomp: s.Linux.Seccomp, compiled: cfg.Filter, personality: s.Linux.Personality, makeCwd: cfg.MakeCwd,
		userns:     ns.has(unix.CLONE_NEWUSER),
		denyGroups: ns.has(unix.CLONE_NEWUSER) && (!b.privileged && cfg.MapIDs == nil || !b.dry && setgroupsDenied(os.Getpid())),
	}); err != nil {
		return err
	}
	if b.failed != nil {
		return b.failed
	}
	return nil
}

// inside adds what is set within the container, when all is mounted.
func (b *builder) inside(cfg *Config, plan *mountPlan, ns spaces) error {
	s := cfg.Spec
	b.devicesInRoot(plan)
	b.stdio(cfg.Stdin, cfg.Stdout, cfg.Stderr, s.Process, plan.devpts())
	b.consoleMount(plan)
	if b.overlaps {
		b.waitForParent() // for interfaces that have settings
	}
	if err := b.sysctls(s.Linux.Sysctl, ns); err != nil {
		return err
	}
	if s.Hostname != "" {
		b.add("set the host name", "sethostname", b.str(s.Hostname), num(len(s.Hostname)))
	}
	if s.Domainname != "" {
		b.add("set the domain name", "setdomainname", b.str(s.Domainname), num(len(s.Domainname)))
	}
	for _, p := range s.Linux.ReadonlyPaths {
		b.readonlyPath(p)
	}
	for _, p := range s.Linux.MaskedPaths {
		b.maskedPath(p)
	}
	b.late(plan, s)
	return nil
}

// begin adds what a child does before it looks at anything: nothing of the parent's
// signals and descriptors stays. enter adds the steps that enter namespaces; joins says that
// there are processes in them already.
func (b *builder) begin(tasks []string, proc *specs.Process, joins bool, enter func()) {
	b.add("reset signal handlers", "rt_sigaction", num(1), b.words(0, 0, 0, 0), num(0), num(8)).Repeat = 64
	b.ignore(b.last(), unix.EINVAL) // KILL and STOP
	b.add("unblock signals", "rt_sigprocmask", num(unix.SIG_SETMASK), b.words(0), num(0), num(8))
	b.deathSignal()
	// Before the wait: with the parent's end of the pipe open here too, a parent that has
	// ended before the death signal was set would never be seen.
	b.closeOthers()
	b.waitForParent()
	if joins {
		b.undumpable()
	}
	for _, path := range tasks {
		// The child moves itself: moving a process that has one thread takes no lock of the whole machine.
		fd := b.tasksFD(path)
		b.add("enter the cgroup "+path, "write", fd, b.str("0"), num(1))
	}
	enter()
	if b.staged {
		b.add("go on in the new namespaces", opFork)
		b.Forks++
		b.deathSignal()
		b.waitForParent()
	}
	if !joins {
		b.undumpable()
	}
	b.apparmorOpen(proc.ApparmorProfile)
}

// closeOthers closes all descriptors but the standard ones and those that the program names here, or anywhere.
func (b *builder) closeOthers(keep ...val) {
	b.add("close descriptors", opClose, keep...)
}

// waitForParent waits for a byte from the parent. An end instead of a byte is the parent's end.
func (b *builder) waitForParent() {
	b.add("wait for the parent", "read", b.sync, b.words(0), num(1)).Expect = 1
}

// deathSignal makes the child end with the parent.
func (b *builder) deathSignal() {
	b.add("end with the parent", "prctl", num(unix.PR_SET_PDEATHSIG), num(uint32(unix.SIGKILL)))
}

// undumpable forbids others to look into this process until execve: it has the parent's
// memory, descriptors and program (CVE-2016-9962, CVE-2019-5736). It comes before
// namespaces with processes are joined; otherwise when the parent has written the id
// maps, for which it must look in.
func (b *builder) undumpable() {
	b.add("forbid others to look in", "prctl", num(unix.PR_SET_DUMPABLE), num(0))
}

// becomeRoot takes the ids of root in the new user namespace, if it has one.
func (b *builder) becomeRoot(none bool) {
	if !none {
		b.add("become the group root of the user namespace", "setresgid", num(0), num(0), num(0))
		b.add("become root of the user namespace", "setresuid", num(0), num(0), num(0))
	}
	// A change of ids makes a process dumpable or clears its death signal, as the kernel likes.
	b.undumpable()
	b.deathSignal()
}

func (b *builder) last() *step { return b.Steps[len(b.Steps)-1] }
