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
// whatever state the other threads left it, or beside them in the same memory
// (shared_linux.go): nothing here or below may allocate, grow the stack, call the runtime, or
// write a pointer to the heap. All is nosplit, every pointer was made before
// the fork, and what is not an argument lives in the machine: the linker proves
// that the frames fit, without optimisation too (a debugger's build).
//
//go:norace
//go:nosplit
func run(m *machine) {
	for m.pc < len(m.ops) {
		m.fetch()
		switch m.op.kind {
		case kindCall:
			m.call()
		case kindWalk:
			m.walk.resolve(m)
		case kindFork:
			m.fork()
		case kindClose:
			m.closeOthers()
		case kindServe:
			m = m.serve()
			continue
		default:
			m.compute()
		}
		m.settle()
	}
	m.exit(127)
}

// fetch takes the next operation and the values of its arguments.
//
//go:norace
//go:nosplit
func (m *machine) fetch() {
	m.op = m.ops[m.pc]
	m.pc++
	m.r, m.e = 0, 0
	for j := range m.a {
		m.a[j] = m.op.args[j]
		if m.op.isreg>>j&1 != 0 {
			m.a[j] = m.regs[m.a[j]]
		}
	}
}

// call makes a system call.
//
//go:norace
//go:nosplit
func (m *machine) call() {
	for m.left = m.op.repeat; m.left > 0; m.left-- {
		m.r, _, m.e = syscall.RawSyscall6(m.op.nr, m.a[0], m.a[1], m.a[2], m.a[3], m.a[4], m.a[5])
		m.a[0]++
		if m.e != 0 && m.branch() < 0 {
			return
		}
	}
}

// compute does the operations that ask the kernel nothing.
//
//go:norace
//go:nosplit
func (m *machine) compute() {
	switch m.op.kind {
	case kindCheck:
		if word(m.arena[m.a[0]+m.a[1]:])&uint64(m.a[2]) != uint64(m.a[3]) {
			m.e = syscall.Errno(m.a[4])
		}
	case kindSet:
		m.r = m.a[0]
	case kindJumpZ:
		if m.a[0] == 0 {
			m.pc = int(m.a[1])
		}
	case kindJump:
		m.pc = int(m.a[0])
	case kindStore:
		at := m.a[0] + m.a[1]
		m.arena[at], m.arena[at+1], m.arena[at+2], m.arena[at+3] = byte(m.a[2]), byte(m.a[2]>>8), byte(m.a[2]>>16), byte(m.a[2]>>24)
	case kindFail:
		m.e = syscall.Errno(m.a[0])
	}
}

// settle keeps the result, or goes where the error leads.
//
//go:norace
//go:nosplit
func (m *machine) settle() {
	if m.e == 0 && m.op.expect >= 0 && m.r != uintptr(m.op.expect) {
		m.e = syscall.ESRCH
	}
	if m.e == 0 {
		m.regs[m.op.save] = m.r // register 0 is never read
		return
	}
	if to := m.branch(); to >= 0 {
		m.pc = to
		return
	}
	m.fail()
}

// word reads a 64-bit word: both architectures are little-endian.
//
//go:norace
//go:nosplit
func word(b []byte) uint64 {
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// branch is where the program goes on after the error; -1 is nowhere.
//
//go:norace
//go:nosplit
func (m *machine) branch() int {
	for j := m.op.first; j < m.op.first+m.op.nbr; j++ {
		if b := &m.branches[j]; b.Errno == m.e || b.Errno == anyError {
			return b.To
		}
	}
	return -1
}

// fail reports the step, with what the kernel has to say in the file system context
// of its register Log, and exits.
//
//go:norace
//go:nosplit
func (m *machine) fail() {
	r := m.report
	r.index, r.errno = uint32(m.pc-1), uint32(m.e)
	var n uintptr
	for m.op.log > 0 && n < reportText {
		k, _, e := syscall.RawSyscall6(unix.SYS_READ, m.regs[m.op.log], uintptr(unsafe.Pointer(&r.text))+n, reportText-n, 0, 0, 0)
		if e != 0 || k == 0 {
			break
		}
		n += k
	}
	syscall.RawSyscall6(unix.SYS_WRITE, m.errfd, uintptr(unsafe.Pointer(r)), reportHead+n, 0, 0, 0)
	m.exit(127)
}

//go:norace
//go:nosplit
func (m *machine) exit(code uintptr) {
	for {
		syscall.RawSyscall6(unix.SYS_EXIT_GROUP, code, 0, 0, 0, 0, 0)
	}
}

// fork goes on in a child whose parent is this process's parent. This process
// reports the child's pid, as the parent sees it, and exits: it has nothing left to do.
//
//go:norace
//go:nosplit
func (m *machine) fork() {
	// The exit signal is this process's own, which CLONE_PARENT copies.
	m.r, _, m.e = syscall.RawSyscall6(unix.SYS_CLONE, unix.CLONE_PARENT, 0, 0, 0, 0, 0)
	if m.e != 0 || m.r == 0 {
		return
	}
	m.report.index, m.report.errno = reportFork, uint32(m.r)
	syscall.RawSyscall6(unix.SYS_WRITE, m.errfd, uintptr(unsafe.Pointer(m.report)), reportHead, 0, 0, 0)
	m.exit(0)
}

// closeOthers closes every descriptor but those of a list. Closing, not
// close-on-exec: an image's links and its working directory could use them before.
//
//go:norace
//go:nosplit
func (m *machine) closeOthers() {
	keep := m.keep[m.a[0]]
	from := uintptr(0)
	for _, fd := range keep {
		if to := uintptr(fd); from < to && m.e == 0 {
			m.closeRange(from, to-1)
		}
		from = uintptr(fd) + 1
	}
	if m.e == 0 {
		m.closeRange(from, 1<<32-1)
	}
}

// closeRange closes descriptors, the last one included.
//
//go:norace
//go:nosplit
func (m *machine) closeRange(first, last uintptr) {
	_, _, m.e = syscall.RawSyscall6(unix.SYS_CLOSE_RANGE, first, last, 0, 0, 0, 0)
	if m.e != syscall.ENOSYS {
		return
	}
	m.e = 0
	for ; first <= last && first <= uintptr(m.lastFD); first++ {
		syscall.RawSyscall6(unix.SYS_CLOSE, first, 0, 0, 0, 0, 0)
	}
}
