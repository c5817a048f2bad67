package launch

import (
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// stdio puts the standard descriptors in place: a terminal of the container, what
// the caller gave, or the container's null device.
func (b *builder) stdio(in, out, err *os.File, p *specs.Process, pts val) {
	if p.Terminal {
		b.terminal(p, pts)
		return
	}
	null := reg(0)
	for i, f := range []*os.File{in, out, err} {
		name := "set standard " + []string{"input", "output", "error"}[i]
		if f == nil {
			if null == 0 {
				null = b.nullDevice()
			}
			b.add(name, "dup3", null.val(), num(i), num(0))
			continue
		}
		var own bool
		fd := b.parentFD([]string{"stdin", "stdout", "stderr"}[i], func() (int, error) {
			n, err := dup(f)
			own = err == nil && anonymous(n)
			return n, err
		})
		b.add(name, "dup3", fd, num(i), num(0))
		if p.User.UID != 0 && own {
			// The user opens /dev/stdout again, which is a new permission check.
			b.ignore(b.add(name, "fchown", num(i), num(p.User.UID), num(^uint32(0))), unix.EPERM, unix.EINVAL, unix.EROFS)
		}
	}
}

// dup duplicates a descriptor without touching its mode (File.Fd could make it blocking).
func dup(f *os.File) (int, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd := -1
	if cerr := conn.Control(func(n uintptr) { fd, err = unix.FcntlInt(n, unix.F_DUPFD_CLOEXEC, 3) }); cerr != nil {
		return -1, cerr
	}
	return fd, err
}

// anonymous says that a descriptor is a pipe or a socket without a name: nothing
// else on the host changes when its owner does.
func anonymous(fd int) bool {
	const sockfsMagic = 0x534f434b
	var fs unix.Statfs_t
	return unix.Fstatfs(fd, &fs) == nil && (fs.Type == unix.PIPEFS_MAGIC || fs.Type == sockfsMagic)
}

// nullDevice opens the container's null device. The host's would be the same
// device, but its node would be the host's: root in the container could change its mode.
func (b *builder) nullDevice() reg {
	const name = "open /dev/null of the container"
	flags := num(unix.O_RDWR | unix.O_CLOEXEC | unix.O_NOFOLLOW | unix.O_NOCTTY)
	if b.dev != 0 {
		return b.open(name, "openat", b.dev.val(), b.str("null"), flags)
	}
	// It may be anything that the container has put there.
	dir := b.walk(name, "/dev", walkDir|walkStrict)
	node := b.open(name, "openat", dir.val(), b.str("null"), num(unix.O_PATH|unix.O_CLOEXEC|unix.O_NOFOLLOW))
	b.isNull(name, node)
	null := b.open(name, "openat", dir.val(), b.str("null"), num(unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NOCTTY|unix.O_NONBLOCK))
	b.isNull(name, null)
	return null
}

// isNull checks that a descriptor is the device 1:3.
func (b *builder) isNull(name string, fd reg) {
	const detail = "it is not the null device"
	buf := b.mem(make([]byte, 256)) // struct statx
	b.add(name, "statx", fd.val(), b.str(""), num(unix.AT_EMPTY_PATH), num(unix.STATX_TYPE), buf)
	// The mode is at 28, the device numbers are at 128 and 132.
	b.add(name, opCheck, buf, num(24), num(uint64(unix.S_IFMT)<<32), num(uint64(unix.S_IFCHR)<<32), num(uint32(unix.EXDEV))).Detail = detail
	b.add(name, opCheck, buf, num(128), num(^uint64(0)), num(uint64(3)<<32|1), num(uint32(unix.EXDEV))).Detail = detail
}
