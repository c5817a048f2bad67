//go:build linux

package files

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// onThread runs f on a thread of its own, which ends with it: f may change the
// thread's namespaces. It is never the program's first thread, whose namespaces are those that /proc/self shows.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocks it
		if unix.Gettid() != unix.Getpid() {
			done <- f()
			return
		}
		err := onThread(f) // elsewhere, while this one is held
		runtime.UnlockOSThread()
		done <- err
	}()
	return <-done
}
