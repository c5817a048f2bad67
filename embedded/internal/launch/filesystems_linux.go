package launch

import (
	"strings"

	"golang.org/x/sys/unix"
)

// detached makes every file system of the plan, attached to nothing.
func (b *builder) detached(pl *mountPlan) error {
	for _, p := range pl.mounts {
		if p.opts.bind {
			if p.dest == "/proc" && pl.userns && !pl.ns.has(unix.CLONE_NEWPID) {
				// The host's, by the host's path: root of this user namespace cannot make one for the host's processes.
				b.proc = b.open("keep the host's procfs", "openat", p.fd, b.str("."), num(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC))
			}
			continue
		}
		p.fd = b.filesystem(pl, p).val()
		for _, sub := range p.subs {
			if !sub.opts.bind {
				sub.fd = b.filesystem(pl, sub).val()
			}
		}
		switch {
		case p.dest == "/dev" && pl.ownDev:
			b.dev = b.inReg(p.fd)
			b.fillDev(pl)
		case p.Type == "proc" && p.dest == "/proc":
			b.proc = b.inReg(p.fd)
		}
	}
	return nil
}

// ownProc is a procfs that nobody else can reach or cover: sysctls are written and
// descriptors named through it. It is one of this start's own, or where none can be made the host's.
func (b *builder) ownProc() reg {
	if b.proc == 0 {
		b.proc = b.fsopen("mount a private procfs", "proc", nil, nil, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	}
	return b.proc
}

// filesystem makes one file system. A read-only tmpfs is made writable, for mount
// points are made in it, and changed by late.
func (b *builder) filesystem(pl *mountPlan, p *planned) reg {
	var opts [][2]string
	if p.Source != "" {
		opts = append(opts, [2]string{"source", p.Source})
	}
	for _, d := range p.opts.data {
		for o := range strings.SplitSeq(d, ",") {
			name, value, _ := strings.Cut(o, "=")
			opts = append(opts, [2]string{name, value})
		}
	}
	flags, set := p.opts.flags, p.opts.set|p.opts.allSet
	switch {
	case p.Type == "tmpfs":
		set &^= unix.MOUNT_ATTR_RDONLY
	case set&unix.MOUNT_ATTR_RDONLY != 0 && p.Type != "cgroup" && p.Type != "cgroup2" && p.Type != "proc":
		// The superblock too, as mount(2) does it. Those of cgroups belong to the host; that of procfs takes sysctls.
		flags = append(flags[:len(flags):len(flags)], "ro")
	}
	return b.fsopen("mount "+p.Type+" on "+p.dest, p.Type, opts, flags, set)
}

// fsopen makes a file system with the new mount API: the result is a detached mount.
func (b *builder) fsopen(name, typ string, opts [][2]string, flags []string, attr uint64) reg {
	fs := b.open(name, "fsopen", b.str(typ), num(unix.FSOPEN_CLOEXEC))
	config := func(cmd int, key, value val, detail string) {
		s := b.add(name, "fsconfig", fs.val(), num(cmd), key, value, num(0))
		s.Log, s.Detail = fs, detail
	}
	for _, o := range opts {
		switch {
		case o[1] == "" && o[0] != "source":
			config(unix.FSCONFIG_SET_FLAG, b.str(o[0]), num(0), "option "+o[0])
		case o[0] != "":
			config(unix.FSCONFIG_SET_STRING, b.str(o[0]), b.str(o[1]), "option "+o[0]+"="+o[1])
		}
	}
	for _, f := range flags {
		config(unix.FSCONFIG_SET_FLAG, b.str(f), num(0), "option "+f)
	}
	config(unix.FSCONFIG_CMD_CREATE, num(0), num(0), "")
	fd := b.open(name, "fsmount", fs.val(), num(unix.FSMOUNT_CLOEXEC), num(attr))
	b.add("close a descriptor", "close", fs.val())
	return fd
}
