package launch

import "golang.org/x/sys/unix"

// maskedPath hides a file behind the null device and a directory behind an empty,
// read-only tmpfs. What is missing needs no mask.
//
// The source is the null device that this start made (or checked) itself, by
// descriptor: not the path /dev/null, which an image or another container could
// replace (CVE-2025-31133).
func (b *builder) maskedPath(path string) {
	name := "mask " + path
	// A file.
	f := b.walk(name, path, walkFile|strictness(path))
	walkFileStep := b.last()
	null := b.nullTree(name)
	b.moveMount(name, null, f.val(), "")
	b.add("close a descriptor", "close", null)
	b.add("close a descriptor", "close", f.val())
	jump := b.add(name, opJump, num(0))
	// A directory.
	b.on(walkFileStep, unix.EISDIR, b.here())
	d := b.walk(name, path, walkDir|strictness(path))
	walkDirStep := b.last()
	fs := b.fsopen(name, "tmpfs", [][2]string{{"source", "tmpfs"}}, []string{"ro"}, unix.MOUNT_ATTR_RDONLY)
	b.moveMount(name, fs.val(), d.val(), "")
	b.add("close a descriptor", "close", fs.val())
	b.add("close a descriptor", "close", d.val())
	b.ignore(walkFileStep, unix.ENOENT, unix.ENOTDIR)
	b.ignore(walkDirStep, unix.ENOENT, unix.ENOTDIR)
	jump.Args[0] = num(b.here())
}

// readonlyPath mounts a file or directory over itself, read-only.
func (b *builder) readonlyPath(path string) {
	name := "make " + path + " read-only"
	t := b.walk(name, path, strictness(path))
	walk := b.last()
	m := b.open(name, "open_tree", t.val(), b.str(""), num(uint32(unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH|unix.AT_RECURSIVE)))
	if b.mountSetattr {
		// With what is mounted below it: a read-only path with writable parts is not what was asked for.
		b.setattr(name, m.val(), unix.AT_RECURSIVE, unix.MOUNT_ATTR_RDONLY, 0, 0)
		b.moveMount(name, m.val(), t.val(), "")
	} else {
		b.moveMount(name, m.val(), t.val(), "")
		flags := uint64(unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY)
		if below(path, "/proc") || below(path, "/sys") {
			flags |= unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC // as these are mounted
		}
		b.mountByFD(name, m.val(), flags)
	}
	b.add("close a descriptor", "close", m.val())
	b.add("close a descriptor", "close", t.val())
	b.ignore(walk, unix.ENOENT, unix.ENOTDIR)
}
