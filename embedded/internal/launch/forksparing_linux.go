//go:build !berth_nofork

package launch

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forkSparing is forkAndRun with a child that has none of the memory spare: m must be out of it ([program.moved]), and the
// program must begin with resetting signal handlers and unblocking signals, since the
// runtime's own state may be missing. Where clone3 is hidden, the error is ENOSYS.
// The pidfd is blocking.
func forkSparing(m *machine, spare []span, cgroupFD int) (pid, pidfd int, err error) {
	fd := new(int32)
	*fd = -1
	ca := &cloneArgs{flags: unix.CLONE_PIDFD, exitSignal: uint64(unix.SIGCHLD), pidfd: uint64(uintptr(unsafe.Pointer(fd)))}
	if cgroupFD > 0 {
		ca.flags |= cloneIntoCgroup
		ca.cgroup = uint64(cgroupFD)
	}
	n, errno := cloneSparing(m, ca, spare)
	if errno != 0 {
		return -1, -1, &Error{Step: "clone a child", Errno: errno}
	}
	return int(n), int(*fd), nil
}

// stackRoom is what the child keeps of the stack that it continues on, on both sides of where it is, in bytes. The
// linker proves that what it calls takes less.
const stackRoom = 8 << 10

// cloneSparing calls clone3 and runs m in the child, which has no memory of spare but the stack here.
//
//go:norace
//go:noinline
func cloneSparing(m *machine, ca *cloneArgs, spare []span) (pid uintptr, errno syscall.Errno) {
	// No other goroutine may have a descriptor open that is not close-on-exec yet.
	syscall.ForkLock.Lock()
	beforeFork() // from here on the stack stays where it is
	var here uintptr
	here = uintptr(unsafe.Pointer(&here))
	stack := span{(here - stackRoom) &^ 4095, (here + stackRoom) &^ 4095}
	adviseAll(spare, stack, unix.MADV_DONTFORK)
	pid, _, errno = syscall.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(ca)), unsafe.Sizeof(*ca), 0)
	if errno == 0 && pid == 0 {
		run(m)
	}
	adviseAll(spare, stack, unix.MADV_DOFORK)
	afterFork()
	syscall.ForkLock.Unlock()
	return pid, errno
}

// adviseAll tells the kernel what becomes of memory in a fork, except for what is in but. What is not there any more does
// not matter, and an error neither: what a fork copies needlessly takes time only.
//
//go:norace
//go:nosplit
func adviseAll(list []span, but span, advice uintptr) {
	for _, s := range list {
		if s.to <= but.from || but.to <= s.from {
			advise(s.from, s.to, advice)
			continue
		}
		advise(s.from, but.from, advice)
		advise(but.to, s.to, advice)
	}
}

//go:norace
//go:nosplit
func advise(from, to, advice uintptr) {
	if from < to {
		syscall.RawSyscall(unix.SYS_MADVISE, from, to-from, advice)
	}
}
