//go:build !berth_nofork && (amd64 || arm64)

package launch

import (
	"errors"
	"io"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A child that shares this process's memory until execve, as one of vfork does: nothing is copied, no page of either is
// taken away and given back, and no other processor has to be told. Of a start's
// time in monitor and child together that is a fifth.
//
// The child runs below the frame of the thread that made it, which sleeps in the kernel until execve; other threads
// go on. So nothing that the child does may write a pointer into memory of the heap, which would be the garbage
// collector's business (go build -gcflags=-d=wb prints where it is), besides what run says.
//
// Who can look into the child can look into this process and write to it. So only a container's first process
// is made so, in a pid namespace of its own in which nobody else is, by root: see sharable. The kernel makes the memory
// undumpable with the child's, for good. What the kernel kills for want of memory is never such a child (in_vfork).

// cloneShared calls clone3, and beginShared and run in the child.
//
//go:noescape
func cloneShared(args *cloneArgs, size uintptr, m *machine) (pid uintptr)

// reportBegun as an index is a shared child's first word: it is there.
const reportBegun = ^uint32(1)

// beginShared is the first that the child does.
//
//lint:ignore U1000 cloneShared, in assembly, calls it
//go:norace
//go:nosplit
func beginShared(m *machine) {
	afterForkInChild()
	m.report.index = reportBegun
	syscall.RawSyscall6(unix.SYS_WRITE, m.errfd, uintptr(unsafe.Pointer(m.report)), reportHead, 0, 0, 0)
}

// forkShared makes the child and sleeps until its execve or its end.
//
// ForkLock is not held: that could take as long as a network does, which may start processes. Descriptors that are
// not close-on-exec yet, the program closes.
//
//go:norace
//go:nosplit
//go:noinline
func forkShared(m *machine, ca *cloneArgs) uintptr {
	entersyscall() // this thread's processor is for others
	beforeFork()
	pid := cloneShared(ca, unsafe.Sizeof(*ca), m)
	afterFork()
	exitsyscall()
	return pid
}

// sharable says that the child may share the memory: it is alone in its pid namespace, in our user namespace, and
// enters no namespace that has processes. Where clone3 is hidden, or has no code for it here, it may not.
func (c *child) sharable() bool {
	b := c.b
	return canFork && !b.staged && b.Forks == 0 && b.clone3 && b.privileged && b.mknod && !c.joins &&
		c.flags&unix.CLONE_NEWPID != 0 && c.flags&unix.CLONE_NEWUSER == 0 && has(unix.SYS_CLONE3)
}

// startShared is start with shared memory. While this thread sleeps, another one does
// the parent's part.
func (c *child) startShared(m *machine) (*Process, error) {
	pidfd, tid := new(int32), new(int32)
	*pidfd = -1
	ca := &cloneArgs{
		flags:      uint64(c.flags) | unix.CLONE_VM | unix.CLONE_VFORK | unix.CLONE_PIDFD | unix.CLONE_PARENT_SETTID,
		pidfd:      uint64(uintptr(unsafe.Pointer(pidfd))),
		parentTid:  uint64(uintptr(unsafe.Pointer(tid))),
		exitSignal: uint64(unix.SIGCHLD),
	}
	if c.cgroup > 0 {
		ca.flags |= cloneIntoCgroup
		ca.cgroup = uint64(c.cgroup)
	}
	p := new(Process)
	followed := make(chan error, 1)
	go func() {
		var head [reportHead]byte
		if _, err := io.ReadFull(c.report, head[:]); err != nil {
			followed <- errNotBegun
			return
		}
		// The kernel has written both before the child ran.
		p.PID, p.Pidfd = int(*tid), newPidfd(int(*pidfd))
		err := c.follow(p, forked{pid: p.PID, pidfd: p.Pidfd, inCgroup: c.cgroup > 0})
		if err != nil {
			p.kill()
		}
		followed <- err
	}()
	r := forkShared(m, ca)
	runtime.KeepAlive(m)
	runtime.KeepAlive(pidfd)
	runtime.KeepAlive(tid)
	c.b.close() // our copies of the child's ends: the report ends with the child's
	err := <-followed
	if r >= ^uintptr(4095) {
		return nil, &Error{Step: "clone a child", Errno: syscall.Errno(-r)}
	}
	if errors.Is(err, errNotBegun) {
		// It was killed before its first word.
		p.PID, p.Pidfd = int(r), newPidfd(int(*pidfd))
		err = c.ended(p)
		p.kill()
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

var errNotBegun = errors.New("the child has not begun")
