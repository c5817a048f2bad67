package launch

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Offsets in struct msghdr.
const (
	msgIov        = 16
	msgIovlen     = 24
	msgControl    = 32
	msgControllen = 40
	msgFlags      = 48
	msgSize       = 56
)

// maxRights is how many descriptors a forker takes with a program.
const maxRights = 32

// serve is the life of a forker: it takes programs with their descriptors, and for each makes a child whose parent is this
// process's parent. It returns in a child, with its program. The answer is the child's pid, or an error.
//
//go:norace
//go:nosplit
func (m *machine) serve() *machine {
	for {
		hdr := m.a[1]
		m.arena[hdr+msgControllen], m.arena[hdr+msgControllen+1] = byte(m.rights), byte(m.rights>>8)
		m.r, _, m.e = syscall.RawSyscall6(unix.SYS_RECVMSG, m.a[0], uintptr(unsafe.Pointer(&m.arena[hdr])), unix.MSG_CMSG_CLOEXEC, 0, 0, 0)
		if m.e == syscall.EINTR {
			continue
		}
		if m.e != 0 || m.r == 0 || m.arena[hdr+msgFlags]&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
			m.exit(0)
		}
		// Within the limit of processes.
		m.r, _, m.e = syscall.RawSyscall6(unix.SYS_WRITE, m.a[2], uintptr(unsafe.Pointer(&zero)), 1, 0, 0, 0)
		if m.e == 0 {
			// The exit signal is this process's own, which CLONE_PARENT copies.
			m.r, _, m.e = syscall.RawSyscall6(unix.SYS_CLONE, unix.CLONE_PARENT|unix.CLONE_PARENT_SETTID, 0, m.a[4], 0, 0, 0)
			if m.e == 0 && m.r == 0 {
				return m.guest
			}
		}
		m.report.index, m.report.errno = uint32(m.r), uint32(m.e)
		_, _, m.e = syscall.RawSyscall6(unix.SYS_WRITE, m.a[3], uintptr(unsafe.Pointer(&zero)), 1, 0, 0, 0)
		if m.e != 0 && m.report.errno == 0 {
			// It would be one of the container's processes: nobody shall see it.
			m.last = true
		}
		m.e = 0
		m.a[0], m.a[5] = m.a[5], m.a[0]
		m.closeOthers()
		m.a[0], m.a[5] = m.a[5], m.a[0]
		syscall.RawSyscall6(unix.SYS_WRITE, m.a[0], uintptr(unsafe.Pointer(m.report)), reportHead, 0, 0, 0)
		if m.last {
			m.exit(0)
		}
	}
}

// zero is what a process writes to a file of tasks to enter the cgroup.
var zero = [1]byte{'0'}
