package launch

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// device is a device node of a container.
type device struct {
	path     string // clean, absolute
	mode     uint32 // with S_IFCHR, S_IFBLK or S_IFIFO
	rdev     uint64
	uid, gid uint32
	tree     val // of the host's node, where nodes cannot be made
}

// standard are the devices of every container: OCI runtime specification, Linux, default devices.
var standard = []struct {
	name         string
	major, minor uint32
}{
	{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
}

// deviceLinks are the symbolic links of every /dev.
var deviceLinks = [][2]string{
	{"/proc/self/fd", "fd"},
	{"/proc/self/fd/0", "stdin"},
	{"/proc/self/fd/1", "stdout"},
	{"/proc/self/fd/2", "stderr"},
	{"pts/ptmx", "ptmx"},
}

// deviceList is the standard devices and those of the configuration, which win.
func deviceList(list []specs.LinuxDevice) ([]device, error) {
	var all []device
	for _, s := range standard {
		all = append(all, device{path: "/dev/" + s.name, mode: unix.S_IFCHR | 0o666, rdev: unix.Mkdev(s.major, s.minor)})
	}
	types := map[string]uint32{"c": unix.S_IFCHR, "u": unix.S_IFCHR, "b": unix.S_IFBLK, "p": unix.S_IFIFO}
	for _, d := range list {
		typ, ok := types[d.Type]
		if !ok || !path.IsAbs(d.Path) {
			return nil, invalid("linux.devices", fmt.Sprintf("%s has the type %q", d.Path, d.Type))
		}
		n := device{path: path.Clean(d.Path), mode: typ | 0o666, rdev: unix.Mkdev(uint32(d.Major), uint32(d.Minor))}
		if d.FileMode != nil {
			n.mode = typ | uint32(d.FileMode.Perm())
		}
		if d.UID != nil {
			n.uid = *d.UID
		}
		if d.GID != nil {
			n.gid = *d.GID
		}
		if n.path == "/dev/ptmx" {
			continue // in its place is a link: the container has terminals of its own
		}
		all = slices.DeleteFunc(all, func(o device) bool { return o.path == n.path })
		all = append(all, n)
	}
	return all, nil
}

// deviceSources opens the host's nodes where none can be made, and null devices for
// masks where the container's /dev is not made here.
func (b *builder) deviceSources(pl *mountPlan, masks int) error {
	if !b.mknod || pl.userns {
		for i := range pl.devices {
			d := &pl.devices[i]
			if pl.hostDev || d.mode&unix.S_IFMT == unix.S_IFIFO {
				continue
			}
			if err := b.checkNode(*d); err != nil {
				return err
			}
			d.tree = b.tree(pl, d.path, false, "open the device "+d.path)
		}
	}
	if pl.ownDev {
		return nil
	}
	for range masks {
		if err := b.checkNode(device{path: "/dev/null", mode: unix.S_IFCHR, rdev: unix.Mkdev(1, 3)}); err != nil {
			return err
		}
		b.nulls = append(b.nulls, b.tree(pl, "/dev/null", false, "open the device /dev/null"))
	}
	return nil
}

// checkNode requires that the host's node is the device that was asked for.
func (b *builder) checkNode(d device) error {
	if b.dry {
		return nil
	}
	fi, err := os.Stat(d.path)
	if err != nil {
		return failure("open the device "+d.path, err)
	}
	st := fi.Sys().(*syscall.Stat_t)
	if st.Mode&unix.S_IFMT != d.mode&unix.S_IFMT || uint64(st.Rdev) != d.rdev {
		return &Error{Step: "open the device " + d.path, Detail: fmt.Sprintf("the host's is another device than %d:%d", unix.Major(d.rdev), unix.Minor(d.rdev))}
	}
	return nil
}

// nullTree is a mount of the null device.
func (b *builder) nullTree(name string) val {
	if len(b.nulls) > 0 {
		v := b.nulls[0]
		b.nulls = b.nulls[1:]
		return v
	}
	return b.open(name, "open_tree", b.dev.val(), b.str("null"), num(unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)).val()
}

// fillDev makes the nodes and links of a /dev that is attached nowhere: no link of
// the image and nobody else is in the way.
func (b *builder) fillDev(pl *mountPlan) {
	b.add("set the umask", "umask", num(0))
	for _, d := range pl.devices {
		if rel, ok := strings.CutPrefix(d.path, "/dev/"); ok {
			b.node(b.dev, rel, d)
		}
	}
	if pl.console {
		b.add("make /dev/console", "mknodat", b.dev.val(), b.str("console"), num(unix.S_IFREG|0o620), num(0))
	}
	b.add("set the umask", "umask", num(0o22))
	b.links(b.dev)
}

// links makes the symbolic links of /dev.
func (b *builder) links(dev reg) {
	for _, l := range deviceLinks {
		s := b.add("make /dev/"+l[1], "symlinkat", b.str(l[0]), dev.val(), b.str(l[1]))
		b.ignore(s, unix.EEXIST)
	}
	if _, err := os.Lstat("/proc/kcore"); err == nil {
		b.ignore(b.add("make /dev/core", "symlinkat", b.str("/proc/kcore"), dev.val(), b.str("core")), unix.EEXIST)
	}
}

// node makes a device node, or the file that the host's node is bound to, at the
// path rel of the directory dev.
func (b *builder) node(dev reg, rel string, d device) {
	for i, c := range rel {
		if c == '/' {
			b.ignore(b.add("make the directory of "+d.path, "mkdirat", dev.val(), b.str(rel[:i]), num(0o755)), unix.EEXIST)
		}
	}
	mode, rdev := d.mode, d.rdev
	if d.tree != (val{}) {
		mode, rdev = unix.S_IFREG|0o666, 0
	}
	b.add("make "+d.path, "mknodat", dev.val(), b.str(rel), num(mode), num(rdev))
	if d.uid|d.gid != 0 && d.tree == (val{}) {
		b.add("give "+d.path+" to its owner", "fchownat", dev.val(), b.str(rel), num(d.uid), num(d.gid), num(unix.AT_SYMLINK_NOFOLLOW))
	}
}

// bindDevices attaches the host's nodes to the files in /dev.
func (b *builder) bindDevices(pl *mountPlan) {
	if !pl.ownDev {
		return
	}
	for _, d := range pl.devices {
		if rel, ok := strings.CutPrefix(d.path, "/dev/"); ok && d.tree != (val{}) {
			b.moveMount("bind "+d.path, d.tree, b.dev.val(), rel)
			b.add("close a descriptor", "close", d.tree)
		}
	}
}

// devicesInRoot makes the devices that are not in a /dev of ours: below other
// directories, and all of them where the configuration mounts no /dev.
func (b *builder) devicesInRoot(pl *mountPlan) {
	if pl.hostDev {
		return
	}
	b.add("set the umask", "umask", num(0))
	for _, d := range pl.devices {
		inDev := below(d.path, "/dev")
		if inDev && pl.ownDev {
			continue
		}
		dir, name := path.Split(d.path)
		fd := b.walk("make "+d.path, dir, walkMkdir|walkDir|strictness(dir))
		// What the image has there may be anything, another device too.
		b.ignore(b.add("remove the image's "+d.path, "unlinkat", fd.val(), b.str(name), num(0)), unix.ENOENT)
		b.node(fd, name, d)
		if d.tree != (val{}) {
			b.moveMount("bind "+d.path, d.tree, fd.val(), name)
			b.add("close a descriptor", "close", d.tree)
		}
		b.add("close a descriptor", "close", fd.val())
	}
	b.add("set the umask", "umask", num(0o22))
	if !pl.ownDev {
		fd := b.walk("make the links of /dev", "/dev", walkMkdir|walkDir|walkStrict)
		b.links(fd)
		b.add("close a descriptor", "close", fd.val())
	}
}
