//go:build !berth_nofork

package launch

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// canFork says that this build forks by itself. The build tag berth_nofork is for a
// Go release that closes the names below: then the re-exec stage of stage_linux.go
// does the work of the fork.
const canFork = true

// The runtime's hooks around a fork are private. The linker lets packages refer to
// these three, because gVisor does (runtime/proc.go marks them); TestFork fails on a
// Go release where they are gone or behave in another way.

//go:linkname beforeFork syscall.runtime_BeforeFork
func beforeFork()

//go:linkname afterFork syscall.runtime_AfterFork
func afterFork()

//go:linkname afterForkInChild syscall.runtime_AfterForkInChild
func afterForkInChild()

// These two, which the runtime marks for the same reason, are around a system call that sleeps: see shared_linux.go.

//go:linkname entersyscall runtime.entersyscall
func entersyscall()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

// cloneArgs is struct clone_args of linux/sched.h, the version of Linux 5.7.
type cloneArgs struct {
	flags, pidfd, childTid, parentTid, exitSignal, stack, stackSize, tls, setTid, setTidSize, cgroup uint64
}

const cloneIntoCgroup = 0x200000000

// forkAndRun makes a child with these clone flags that runs m. The child has a copy
// of this process's descriptors; it closes what the program does not name.
//
// The child's parent-death signal comes when this thread ends: the caller must not
// be a goroutine that is locked to its thread and ends so.
func forkAndRun(m *machine, flags uintptr, cgroupFD int, k kernel) (forked, error) {
	ca := &cloneArgs{flags: uint64(flags) | unix.CLONE_PIDFD, exitSignal: uint64(unix.SIGCHLD)}
	pidfd := new(int32)
	*pidfd = -1
	ca.pidfd = uint64(uintptr(unsafe.Pointer(pidfd)))
	if cgroupFD > 0 {
		ca.flags |= cloneIntoCgroup
		ca.cgroup = uint64(cgroupFD)
	}
	errno := syscall.ENOSYS
	var pid uintptr
	if k.clone3 {
		pid, errno = fork(m, ca, nil)
	}
	if errno == syscall.ENOSYS {
		// clone3 is hidden by a seccomp filter around us: clone does the same but for the cgroup.
		pid, errno = fork(m, ca, pidfd)
		cgroupFD = 0
	}
	runtime.KeepAlive(m)
	if errno != 0 {
		return forked{}, &Error{Step: "clone a child", Errno: errno}
	}
	return forked{pid: int(pid), pidfd: newPidfd(int(*pidfd)), inCgroup: cgroupFD > 0}, nil
}

// fork calls clone3, or clone if pidfd is given, and runs m in the child.
//
//go:norace
//go:noinline
func fork(m *machine, ca *cloneArgs, pidfd *int32) (pid uintptr, errno syscall.Errno) {
	// No other goroutine may have a descriptor open that is not close-on-exec yet.
	syscall.ForkLock.Lock()
	beforeFork()
	if pidfd == nil {
		pid, _, errno = syscall.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(ca)), unsafe.Sizeof(*ca), 0)
	} else {
		flags := uintptr(ca.flags&^cloneIntoCgroup) | uintptr(unix.SIGCHLD)
		pid, _, errno = syscall.RawSyscall6(unix.SYS_CLONE, flags, 0, uintptr(unsafe.Pointer(pidfd)), 0, 0, 0)
	}
	if errno != 0 || pid != 0 {
		afterFork()
		syscall.ForkLock.Unlock()
		return pid, errno
	}
	afterForkInChild()
	run(m)
	return 0, 0
}
