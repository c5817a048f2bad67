package launch

import (
	"encoding/binary"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const (
	tiocSPTLCK  = 0x40045431
	tiocGPTPEER = 0x5441
)

// terminal makes a terminal of the container's devpts the standard descriptors and the
// controlling terminal, and sends its master side to the parent.
//
// The slave is opened through the master (TIOCGPTPEER), never by a path, and what is
// mounted on /dev/console is that descriptor: a container that replaces
// /dev/pts/N or /dev/console meanwhile gains nothing (CVE-2016-9962, CVE-2025-52565).
func (b *builder) terminal(p *specs.Process, pts val) {
	const name = "open a terminal"
	if pts == (val{}) {
		pts = b.walk(name, "/dev/pts", walkDir|walkStrict).val()
	}
	b.magic(name, b.inReg(pts), unix.DEVPTS_SUPER_MAGIC, false, "/dev/pts is not a devpts")
	master := b.open(name, "openat", pts, b.str("ptmx"), num(unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NOFOLLOW))
	b.add(name, "ioctl", master.val(), num(tiocSPTLCK), b.words(0))
	slave := b.open(name, "ioctl", master.val(), num(tiocGPTPEER), num(unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC))
	if s := p.ConsoleSize; s != nil {
		b.add(name, "ioctl", master.val(), num(unix.TIOCSWINSZ), b.words(uint64(uint16(s.Height))|uint64(uint16(s.Width))<<16))
	}
	if p.User.UID != 0 {
		b.ignore(b.add("give the terminal to the user", "fchown", slave.val(), num(p.User.UID), num(^uint32(0))), unix.EINVAL, unix.EPERM)
	}
	b.sendFD("send the terminal to the parent", b.console, master)
	b.slave = slave
	for i := range 3 {
		b.add("set standard descriptors", "dup3", slave.val(), num(i), num(0))
	}
	b.add("take the terminal", "ioctl", num(0), num(unix.TIOCSCTTY), num(0))
}

// sendFD sends a descriptor over a socket of the parent.
func (b *builder) sendFD(name string, socket val, fd reg) {
	control := make([]byte, 24) // struct cmsghdr and an int
	binary.NativeEndian.PutUint64(control, 20)
	binary.NativeEndian.PutUint32(control[8:], unix.SOL_SOCKET)
	binary.NativeEndian.PutUint32(control[12:], unix.SCM_RIGHTS)
	cmsg := b.mem(control)
	iov := b.mem(make([]byte, 16), reloc{0, b.str("t")})
	binary.NativeEndian.PutUint64(b.Mems[iov.N].Data[8:], 1)
	msg := b.mem(make([]byte, 56), reloc{16, iov}, reloc{32, cmsg}) // struct msghdr
	binary.NativeEndian.PutUint64(b.Mems[msg.N].Data[24:], 1)
	binary.NativeEndian.PutUint64(b.Mems[msg.N].Data[40:], uint64(len(control)))
	b.add(name, opStore, cmsg, num(16), fd.val())
	b.add(name, "sendmsg", socket, msg, num(unix.MSG_NOSIGNAL))
}

// consoleMount mounts the terminal on /dev/console.
func (b *builder) consoleMount(pl *mountPlan) {
	const name = "mount the terminal on /dev/console"
	if !pl.console || pl.hostDev {
		return
	}
	tree := b.open(name, "open_tree", b.slave.val(), b.str(""), num(uint32(unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH)))
	if pl.ownDev {
		b.moveMount(name, tree.val(), b.dev.val(), "console")
	} else {
		target := b.walk(name, "/dev/console", walkMkfile|walkFile|walkStrict)
		b.moveMount(name, tree.val(), target.val(), "")
		b.add("close a descriptor", "close", target.val())
	}
	b.add("close a descriptor", "close", tree.val())
}
