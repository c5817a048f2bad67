package launch

import (
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// attachAll attaches the plan's mounts, in the configuration's order.
func (b *builder) attachAll(pl *mountPlan) {
	for _, p := range pl.mounts {
		name := p.attachName()
		if p.opts.bind {
			b.mountAttr(name, p)
		}
		flags := walkMkdir | walkDir
		if p.isFile {
			flags = walkMkfile | walkFile
		}
		target := b.walk(name, p.dest, flags|strictness(p.dest))
		if !below(p.dest, "/proc") {
			b.notProcfs(name, target)
		}
		b.moveMount(name, p.fd, target.val(), "")
		b.add("close a descriptor", "close", target.val())
		if p.opts.bind || p.opts.propagation != 0 {
			b.mountAttrByPath(name, p)
		}
		b.attachSubs(p)
		if p.opts.bind {
			b.add("close a descriptor", "close", p.fd)
		}
	}
	b.bindDevices(pl)
}

func (p *planned) attachName() string {
	if p.opts.bind {
		return "mount " + p.Source + " on " + p.dest
	}
	return "mount " + p.Type + " on " + p.dest
}

// strictness: where the kernel's own file systems belong, a link of the image is
// an attack: /proc -> x would leave the real masks on x and nothing on /proc
// (CVE-2019-16884, CVE-2023-28642).
func strictness(dest string) int {
	for _, dir := range []string{"/proc", "/sys", "/dev"} {
		if below(dest, dir) {
			return walkStrict
		}
	}
	return 0
}

// walk resolves a path in the container's root: a descriptor of what is there.
func (b *builder) walk(name, path string, flags int) reg {
	r := b.open(name, opWalk, b.root.val(), b.str(path), num(flags))
	if flags&walkStrict != 0 {
		b.last().Detail = "symbolic links are not followed in " + path
	}
	return r
}

// notProcfs refuses a target that lies in a procfs: a link of the image led there,
// and a mount could hide what masks and security labels need (CVE-2019-16884,
// CVE-2025-52881).
func (b *builder) notProcfs(name string, target reg) {
	b.magic(name, target, unix.PROC_SUPER_MAGIC, true, "the image's links lead into /proc")
}

// magic requires, or with not forbids, that a descriptor is on a file system of this type.
func (b *builder) magic(name string, fd reg, magic uint64, not bool, detail string) {
	statfs := b.mem(make([]byte, 128)) // struct statfs: the type is the first word
	b.add(name, "fstatfs", fd.val(), statfs)
	s := b.add(name, opCheck, statfs, num(0), num(^uint64(0)), num(magic), num(uint32(unix.EXDEV)))
	s.Detail = detail
	if not {
		b.add(name, opFail, num(uint32(unix.EXDEV))).Detail = detail
		s.Detail = ""
		b.on(s, unix.EXDEV, b.here())
	}
}

// mountAttr changes the attributes of a detached mount, before anybody can reach it.
func (b *builder) mountAttr(name string, p *planned) {
	if !b.mountSetattr {
		return
	}
	o := p.opts
	b.setattr(name, p.fd, unix.AT_RECURSIVE, o.allSet, o.allClear, 0)
	b.setattr(name, p.fd, 0, o.set, o.clear, 0)
	if o.propagation != 0 {
		recursive := 0
		if o.propagation&unix.MS_REC != 0 {
			recursive = unix.AT_RECURSIVE
		}
		b.setattr(name, p.fd, recursive, 0, 0, o.propagation&^unix.MS_REC)
	}
}

// setattr adds a mount_setattr, if there is anything to do.
func (b *builder) setattr(name string, fd val, recursive int, set, clear, propagation uint64) {
	if set|clear|propagation == 0 {
		return
	}
	b.add(name, "mount_setattr", fd, b.str(""), num(unix.AT_EMPTY_PATH|recursive), b.words(set, clear, propagation, 0), num(32))
}

// mountAttrByPath does what mountAttr could not: for kernels before 5.12, which take a
// path only. The path is of a procfs that is ours, and names the descriptor.
func (b *builder) mountAttrByPath(name string, p *planned) {
	o := p.opts
	if b.mountSetattr {
		if !o.bind {
			b.mountAttr(name, &planned{fd: p.fd, opts: mountOptions{propagation: o.propagation}})
		}
		return
	}
	if o.set|o.clear|o.allSet|o.allClear != 0 && o.bind {
		flags := legacy(p.have, o.set|o.allSet, o.clear|o.allClear)
		b.mountByFD(name, p.fd, flags|unix.MS_REMOUNT|unix.MS_BIND)
	}
	if o.propagation != 0 {
		b.mountByFD(name, p.fd, o.propagation)
	}
}

// mountByFD changes the mount of a descriptor with mount(2).
func (b *builder) mountByFD(name string, fd val, flags uint64) {
	b.Slots = true
	b.add(name, "dup3", fd, num(slotMount), num(unix.O_CLOEXEC))
	b.add(name, "fchdir", b.ownProc().val())
	b.mount(name, "", "self/fd/600", "", flags, "")
	b.add(name, "chdir", b.str("/"))
	b.add(name, "close", num(slotMount))
}

// readonly makes the mount of a descriptor read-only.
func (b *builder) readonly(name string, fd val, have uint64) {
	if b.mountSetattr {
		b.setattr(name, fd, 0, unix.MOUNT_ATTR_RDONLY, 0, 0)
	} else {
		b.mountByFD(name, fd, have|unix.MS_RDONLY|unix.MS_REMOUNT|unix.MS_BIND)
	}
}

// late makes read-only what had to be written to.
func (b *builder) late(pl *mountPlan, s *specs.Spec) {
	for _, p := range pl.mounts {
		if p.Type == "tmpfs" && !p.opts.bind && (p.opts.set|p.opts.allSet)&unix.MOUNT_ATTR_RDONLY != 0 {
			b.readonly("make "+p.dest+" read-only", p.fd, legacy(0, p.opts.set, 0))
		}
	}
	if s.Root != nil && s.Root.Readonly {
		b.readonly("make the root read-only", b.root.val(), b.rootHave)
	}
}
