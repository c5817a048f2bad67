package launch

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Descriptors with fixed numbers, for kernels that take a path where newer ones take
// a descriptor: "self/fd/N".
const (
	slotMount = 600
	slotLayer = 601 // and the following ones
)

// openRoot makes the root file system, detached.
func (b *builder) openRoot(cfg *Config, pl *mountPlan) error {
	o := cfg.Overlay
	if cfg.Root != nil {
		b.root = b.inReg(b.parentFD("root", func() (int, error) { return duplicate(cfg.Root) }))
		return nil
	}
	if cfg.Ahead != nil && cfg.Ahead.Root {
		b.root = b.inReg(b.delayedFD("root", func() (int, error) { return duplicate(b.made.Root) }))
		return nil
	}
	if o == nil {
		if cfg.Spec.Root == nil || !filepath.IsAbs(cfg.Spec.Root.Path) {
			return invalid("root.path", "an absolute path is needed")
		}
		b.root = b.inReg(b.tree(pl, cfg.Spec.Root.Path, true, "open the root "+cfg.Spec.Root.Path))
		if !b.mountSetattr && !b.dry {
			b.rootHave = mountFlags(cfg.Spec.Root.Path)
		}
		return nil
	}
	switch {
	case len(o.Lower) == 0:
		return invalid("overlay", "a lower directory is needed")
	case o.Upper == "" && len(o.Lower) == 1:
		b.root = b.inReg(b.tree(pl, o.Lower[0], false, "open the root "+o.Lower[0]))
	case !b.lowerdirPlus:
		b.overlayByPath(pl, o)
	case pl.parent:
		b.root = b.inReg(b.parentFD("overlay", func() (int, error) { return mountOverlay(o) }))
	default:
		b.root = b.fsopen("mount the root", "overlay", overlayOptions(o, pl.userns), nil, 0)
	}
	return nil
}

// overlayOptions are an overlay's options, one at a time. What the kernel's
// configuration may switch on and what would break copying the upper directory is off.
func overlayOptions(o *Overlay, userns bool) [][2]string {
	var opts [][2]string
	for _, l := range o.Lower {
		opts = append(opts, [2]string{"lowerdir+", l})
	}
	if o.Upper != "" {
		opts = append(opts, [2]string{"upperdir", o.Upper}, [2]string{"workdir", o.Work}, [2]string{"index", "off"})
	}
	if o.Volatile {
		opts = append(opts, [2]string{"volatile"})
	}
	if o.UserXattr {
		return append(opts, [2]string{"userxattr"})
	}
	if userns { // there they are off, and may not even be named
		return opts
	}
	return append(opts, [2]string{"redirect_dir", "off"}, [2]string{"metacopy", "off"})
}

// overlayByPath mounts an overlay with mount(2). Its options must fit in a page:
// directories are named by descriptors, relative to /proc/self/fd. It is mounted over
// "/", where "/.." leads to it.
func (b *builder) overlayByPath(pl *mountPlan, o *Overlay) {
	slots := map[string]string{}
	dir := func(dir string) string {
		if slots[dir] != "" {
			return slots[dir]
		}
		name, slot := "open the layer "+dir, slotLayer+len(slots)
		slots[dir] = strconv.Itoa(slot)
		fd := b.open(name, "openat", atCWD, b.str(dir), num(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC))
		b.add(name, "dup3", fd.val(), num(slot), num(unix.O_CLOEXEC))
		b.add("close a descriptor", "close", fd.val())
		return slots[dir]
	}
	var lower []string
	for _, l := range o.Lower {
		lower = append(lower, dir(l))
	}
	data := []string{"lowerdir=" + strings.Join(lower, ":")}
	for _, opt := range overlayOptions(o, pl.userns) {
		switch name, value := opt[0], opt[1]; {
		case name == "lowerdir+":
		case name == "upperdir" || name == "workdir":
			data = append(data, name+"="+dir(value))
		case value == "":
			data = append(data, name)
		default:
			data = append(data, name+"="+value)
		}
	}
	b.Slots = true
	const name = "mount the root"
	b.add(name, "chdir", b.str("/proc/self/fd"))
	b.mount(name, "overlay", "/", "overlay", 0, strings.Join(data, ",")).Detail = overlayHint
	b.root = b.open(name, "openat", atCWD, b.str("/.."), num(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC))
	b.magic(name, b.root, unix.OVERLAYFS_SUPER_MAGIC, false, "it is not where it was mounted")
	b.attached = true
	b.add(name, "chdir", b.str("/"))
	for n := range len(slots) {
		b.add("close a layer", "close", num(slotLayer+n))
	}
}

const overlayHint = "the kernel's log has the reason; an upper directory cannot lie on an overlay or a network file system"

// MountsOverlay says that MountOverlay works here: Linux 6.7 or newer.
func MountsOverlay() bool { return detect().lowerdirPlus }

// MountOverlay makes a root file system in advance, for Made.Root. The caller closes it. Of what is wrong with an overlay Start, which makes it
// where it is not made ahead, knows the kernel's words.
func MountOverlay(o *Overlay) (*os.File, error) {
	fd, err := mountOverlay(o)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "root"), nil
}

// mountOverlay makes a detached overlay in this process.
func mountOverlay(o *Overlay) (int, error) {
	fs, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	for _, opt := range overlayOptions(o, false) {
		if opt[1] == "" {
			err = unix.FsconfigSetFlag(fs, opt[0])
		} else {
			err = unix.FsconfigSetString(fs, opt[0], opt[1])
		}
		if err != nil {
			return -1, err
		}
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
}

// enterRoot makes the new root the root. It is mounted over "/", so that no
// directory is needed; then the old root goes at once.
//
// After pivot_root(".", ".") the old root is mounted over the new one, and "/.."
// leads to it: the kernel crosses mounts after "..". So nothing may be resolved in the
// image before the unmount.
func (b *builder) enterRoot() {
	if !b.attached {
		b.moveMount("attach the root", b.root.val(), atCWD, "/")
	}
	b.add("enter the root", "fchdir", b.root.val())
	b.add("change the root", "pivot_root", b.str("."), b.str("."))
	b.add("unmount the host's root", "umount2", b.str("."), num(unix.MNT_DETACH))
	b.add("enter the root", "chdir", b.str("/"))
}

// moveMount attaches a detached mount at target, relative to dir; "" is dir itself.
func (b *builder) moveMount(name string, fd, dir val, target string) *step {
	flags := unix.MOVE_MOUNT_F_EMPTY_PATH
	if target == "" {
		flags |= unix.MOVE_MOUNT_T_EMPTY_PATH
	}
	return b.add(name, "move_mount", fd, b.str(""), dir, b.str(target), num(flags))
}

// inReg moves a value to a register.
func (b *builder) inReg(v val) reg {
	if v.Kind == isReg {
		return reg(v.N)
	}
	r := b.program.reg()
	b.add("keep a descriptor", opSet, v).Save = r
	return r
}
