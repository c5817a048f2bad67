package launch

import (
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/seccomp"
)

// finishing is what becomes of a child that is where it belongs.
type finishing struct {
	process     *specs.Process
	seccomp     *specs.LinuxSeccomp
	compiled    []seccomp.Instruction // of seccomp; nil: not yet
	personality *specs.LinuxPersonality
	makeCwd     bool
	userns      bool // it is in a user namespace of its own, where it has all capabilities
	denyGroups  bool // the user namespace forbids setgroups
}

// finish makes the process of the configuration out of the child: limits, working
// directory, user, capabilities, filter, execve.
func (b *builder) finish(f finishing) error {
	p := f.process
	if err := b.limits(p.Rlimits); err != nil {
		return err
	}
	if err := b.personality(f.personality); err != nil {
		return err
	}
	// The parent's session keyring is not the container's. Where keys are forbidden to us,
	// or there are too many, it stays: the default seccomp profile forbids them to the container.
	b.ignore(b.add("join a new session keyring", "keyctl", num(unix.KEYCTL_JOIN_SESSION_KEYRING), num(0)), unix.ENOSYS, unix.EPERM, unix.EACCES, unix.EDQUOT)
	b.apparmorWrite()
	if f.makeCwd {
		fd := b.walk("make the working directory "+p.Cwd, p.Cwd, walkMkdir|walkDir)
		b.add("close a descriptor", "close", fd.val())
	}
	umask := uint32(0o22)
	if p.User.Umask != nil {
		umask = *p.User.Umask
	}
	b.add("set the umask", "umask", num(umask))
	b.closeOthers(val{isFD, 0}, b.sync)
	caps, err := capabilitySets(p.Capabilities)
	if err != nil {
		return err
	}
	if !f.userns {
		if err := caps.available(); err != nil {
			return err
		}
	}
	retry := b.chdir(p.Cwd)
	b.dropBounding(caps.bounding)
	if err := b.user(p, f.denyGroups); err != nil {
		return err
	}
	b.chdirAgain(p.Cwd, retry)
	if p.NoNewPrivileges {
		b.add("forbid new privileges", "prctl", num(unix.PR_SET_NO_NEW_PRIVS), num(1), num(0), num(0), num(0))
	}
	if f.seccomp != nil && !p.NoNewPrivileges {
		// Loading a filter takes CAP_SYS_ADMIN then: it goes right after it.
		admin := uint64(1) << unix.CAP_SYS_ADMIN
		pcap := uint64(1) << unix.CAP_SETPCAP
		b.capset("keep what the seccomp filter takes", caps.effective|admin|pcap, caps.permitted|admin|pcap, caps.inheritable)
		b.lastRites()
		if err := b.filter(f.seccomp, f.compiled); err != nil {
			return err
		}
		b.capset("set the capabilities", caps.effective, caps.permitted, caps.inheritable)
		b.raiseAmbient(caps.ambient)
	} else {
		b.capset("set the capabilities", caps.effective, caps.permitted, caps.inheritable)
		b.raiseAmbient(caps.ambient)
		b.lastRites()
		if err := b.filter(f.seccomp, f.compiled); err != nil {
			return err
		}
	}
	b.command(p.Args, p.Env)
	return nil
}

// lastRites sets the death signal, which every change of ids has cleared and which
// dropping capabilities does not, and then makes sure that the parent had not ended
// before: getppid would not tell, it is 0 in a new pid namespace either way.
func (b *builder) lastRites() {
	b.deathSignal()
	fds := b.mem(make([]byte, 8), reloc{0, b.sync}) // struct pollfd without events: only an end is told
	b.add("check that the parent lives", "ppoll", fds, num(1), b.words(0, 0), num(0), num(8)).Expect = 0
}

// user changes groups and user, keeping capabilities: they are set afterwards.
func (b *builder) user(p *specs.Process, denyGroups bool) error {
	b.add("keep capabilities", "prctl", num(unix.PR_SET_KEEPCAPS), num(1))
	groups := p.User.AdditionalGids
	if denyGroups && len(groups) > 0 {
		return unsupported("process.user.additionalGids", "", "this user namespace forbids groups")
	}
	if !denyGroups {
		b.add("set the groups", "setgroups", num(len(groups)), b.halves(groups...))
	}
	b.add("set the group", "setresgid", num(p.User.GID), num(p.User.GID), num(p.User.GID))
	b.add("set the user", "setresuid", num(p.User.UID), num(p.User.UID), num(p.User.UID))
	b.add("keep no capabilities any more", "prctl", num(unix.PR_SET_KEEPCAPS), num(0))
	return nil
}

// chdir enters the working directory as root. Where root may not (a network file
// system), the register says that the user shall try.
func (b *builder) chdir(cwd string) reg {
	name := "enter the working directory " + cwd
	retry := b.reg()
	s := b.add(name, "chdir", b.str(cwd))
	jump := b.add(name, opJump, num(0))
	b.on(s, unix.EACCES, b.here())
	b.add(name, opSet, num(1)).Save = retry
	jump.Args[0] = num(b.here())
	return retry
}

// chdirAgain tries again as the user, and makes sure that the working directory is
// in the container: with a path like /proc/self/fd/7 it could be a directory of the
// host that is still open (CVE-2024-21626). None is, and the kernel's answer for
// one outside of the root would not begin with a slash, or be ENOENT.
func (b *builder) chdirAgain(cwd string, retry reg) {
	jump := b.add("skip", opJumpZ, retry.val(), num(0))
	b.add("enter the working directory "+cwd, "chdir", b.str(cwd))
	jump.Args[1] = num(b.here())
	name := "check the working directory " + cwd
	buf := b.mem(make([]byte, pathMax))
	b.add(name, "getcwd", buf, num(pathMax)).Detail = "it is outside of the container"
	b.add(name, opCheck, buf, num(0), num(0xff), num('/'), num(uint32(unix.EXDEV))).Detail = "it is outside of the container"
}

// filterFlags are the flags of a profile by their OCI names. The kernel flag for all
// threads has no use: there is one.
var filterFlags = map[specs.LinuxSeccompFlag]int{
	"SECCOMP_FILTER_FLAG_TSYNC":      0,
	specs.LinuxSeccompFlagLog:        unix.SECCOMP_FILTER_FLAG_LOG,
	"SECCOMP_FILTER_FLAG_SPEC_ALLOW": unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW,
}

// filter loads the seccomp filter. Below it only what leads to execve remains.
func (b *builder) filter(profile *specs.LinuxSeccomp, prog []seccomp.Instruction) error {
	if profile == nil {
		return nil
	}
	if profile.ListenerPath != "" {
		return unsupported("linux.seccomp.listenerPath", profile.ListenerPath, "")
	}
	flags := 0
	for _, f := range profile.Flags {
		n, ok := filterFlags[f]
		if !ok {
			return unsupported("linux.seccomp.flags", string(f), "")
		}
		flags |= n
	}
	if prog == nil {
		var err error
		if prog, err = seccomp.Compile(profile); err != nil {
			return err
		}
	}
	code := make([]byte, 0, 8*len(prog)) // struct sock_filter
	for _, in := range prog {
		code = append(code, byte(in.Code), byte(in.Code>>8), in.Jt, in.Jf, byte(in.K), byte(in.K>>8), byte(in.K>>16), byte(in.K>>24))
	}
	fprog := make([]byte, 16) // struct sock_fprog: a length and an address
	fprog[0], fprog[1] = byte(len(prog)), byte(len(prog)>>8)
	b.add("load the seccomp filter", "seccomp", num(unix.SECCOMP_SET_MODE_FILTER), num(flags), b.mem(fprog, reloc{8, b.mem(code)}))
	return nil
}
