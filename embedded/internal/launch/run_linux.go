package launch

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// run runs a program in a process that has this thread only and never returns: the
// program ends in execve, or run reports the step that failed and exits.
//
// It runs in a child of a process with many threads, with a copy of its memory in
// whatever state the other threads left it: nothing here or below may allocate,
// grow the stack, or call the runtime. All is nosplit, and every pointer was made
// before the fork.
//
//go:norace
//go:nosplit
func run(m *machine) {
	for i := 0; i < len(m.ops); {
		o := &m.ops[i]
		i++
		var a [6]uintptr
		for j := range a {
			a[j] = o.args[j]
			if o.isreg>>j&1 != 0 {
				a[j] = m.regs[a[j]]
			}
		}
		var r uintptr
		var e syscall.Errno
		switch o.kind {
		case kindCall:
			for n := o.repeat; n > 0; n-- {
				r, _, e = syscall.RawSyscall6(o.nr, a[0], a[1], a[2], a[3], a[4], a[5])
				a[0]++
				if e != 0 && m.branch(o, e) < 0 {
					break
				}
			}
		case kindWalk:
			r, e = m.walk.resolve(m.arena[a[1]:], a[0], a[2])
		case kindFork:
			r, e = m.fork()
		case kindClose:
			e = m.closeOthers(m.keep[a[0]])
		case kindCheck:
			if word(m.arena[a[0]+a[1]:])&uint64(a[2]) != uint64(a[3]) {
				e = syscall.Errno(a[4])
			}
		case kindSet:
			r = a[0]
		case kindJumpZ:
			if a[0] == 0 {
				i = int(a[1])
			}
		case kindJump:
			i = int(a[0])
		case kindStore:
			b, v := m.arena[a[0]+a[1]:], a[2]
			b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
		case kindFail:
			e = syscall.Errno(a[0])
		}
		if e == 0 && o.expect >= 0 && r != uintptr(o.expect) {
			e = syscall.ESRCH
		}
		if e == 0 {
			m.regs[o.save] = r // register 0 is never read
			continue
		}
		to := m.branch(o, e)
		if to < 0 {
			m.fail(uint32(i-1), uint32(e), o.log)
		}
		i = to
	}
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 127, 0, 0)
	}
}

// word reads a 64-bit word: both architectures are little-endian.
//
//go:norace
//go:nosplit
func word(b []byte) uint64 {
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// branch is where the program goes on after an error; -1 is nowhere.
//
//go:norace
//go:nosplit
func (m *machine) branch(o *op, e syscall.Errno) int {
	for j := o.first; j < o.first+o.nbr; j++ {
		if b := &m.branches[j]; b.Errno == e || b.Errno == anyError {
			return b.To
		}
	}
	return -1
}

// fail reports a step, with what the kernel has to say in the file system context
// in register log, and exits.
//
//go:norace
//go:nosplit
func (m *machine) fail(index, errno uint32, log int32) {
	r := m.report
	r.index, r.errno = index, errno
	var n uintptr
	for log > 0 && n < reportText {
		k, _, e := syscall.RawSyscall(unix.SYS_READ, m.regs[log], uintptr(unsafe.Pointer(&r.text))+n, reportText-n)
		if e != 0 || k == 0 {
			break
		}
		n += k
	}
	syscall.RawSyscall(unix.SYS_WRITE, m.errfd, uintptr(unsafe.Pointer(r)), reportHead+n)
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 127, 0, 0)
	}
}

// fork goes on in a child whose parent is this process's parent. This process
// reports the child's pid, as the parent sees it, and exits: it has nothing left to do.
//
//go:norace
//go:nosplit
func (m *machine) fork() (uintptr, syscall.Errno) {
	// The exit signal is this process's own, which CLONE_PARENT copies.
	pid, _, e := syscall.RawSyscall6(unix.SYS_CLONE, unix.CLONE_PARENT, 0, 0, 0, 0, 0)
	if e != 0 || pid == 0 {
		return 0, e
	}
	m.report.index, m.report.errno = reportFork, uint32(pid)
	syscall.RawSyscall(unix.SYS_WRITE, m.errfd, uintptr(unsafe.Pointer(m.report)), reportHead)
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
}

// closeOthers closes every descriptor but those of keep. Closing, not
// close-on-exec: an image's links and its working directory could use them before.
//
//go:norace
//go:nosplit
func (m *machine) closeOthers(keep []int32) syscall.Errno {
	from := uintptr(0)
	for i := 0; i <= len(keep); i++ {
		to := ^uintptr(0) >> 32 // the greatest 32-bit number
		if i < len(keep) {
			to = uintptr(keep[i])
			if from == to {
				from++
				continue
			}
			to--
		}
		_, _, e := syscall.RawSyscall(unix.SYS_CLOSE_RANGE, from, to, 0)
		if e == syscall.ENOSYS {
			if last := uintptr(m.lastFD); to > last {
				to = last
			}
			for fd := from; fd <= to; fd++ {
				syscall.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
			}
		} else if e != 0 {
			return e
		}
		if i < len(keep) {
			from = uintptr(keep[i]) + 1
		}
	}
	return 0
}
