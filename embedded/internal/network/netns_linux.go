package network

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// inNamespace calls f on a thread in the network namespace ns. Sockets that f makes stay in it; goroutines that f starts do not run there.
func inNamespace(ns *os.File, f func() error) error {
	done := make(chan error, 1)
	go func() {
		// A thread that cannot go back is not unlocked: it ends with the goroutine.
		runtime.LockOSThread()
		home, err := openThread()
		if err != nil {
			runtime.UnlockOSThread()
			done <- err
			return
		}
		defer home.Close()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			runtime.UnlockOSThread()
			done <- fmt.Errorf("enter network namespace: %w", err)
			return
		}
		err = f()
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// NewNamespace makes a network namespace for a process that is not there yet, on the calling thread, which is in it for a moment. Nothing is up in it.
// It lives as long as the file, or a process in it.
func NewNamespace() (*os.File, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := openThread()
	if err != nil {
		return nil, err
	}
	defer home.Close()
	// Whether the thread could come back is tried before it goes: in a user namespace root may have no right to the host's.
	if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, os.NewSyscallError("setns", err)
	}
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, os.NewSyscallError("unshare", err)
	}
	ns, err := openThread()
	if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
		panic("network: a thread cannot go back to its namespace: " + err.Error()) // what it did next it would do in the wrong one
	}
	return ns, err
}

// openThread opens this thread's network namespace.
func openThread() (*os.File, error) {
	return os.OpenFile("/proc/thread-self/ns/net", os.O_RDONLY|syscall.O_CLOEXEC, 0)
}

// openNamespace opens the network namespace of a process.
func openNamespace(pid int) (*os.File, error) {
	f, err := os.OpenFile(fmt.Sprintf("/proc/%d/ns/net", pid), os.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open network namespace: %w", err)
	}
	return f, nil
}
