//go:build linux

package monitor

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestForkExecNumbers: a program is executed whatever number its descriptor has beside those that
// the child is given. It was lost where the number was the one above the highest of these, to which
// the child moves the pipe for its error, or one of their places; "permission denied", says execve of a pipe.
func TestForkExecNumbers(t *testing.T) {
	path, err := exec.LookPath("true")
	if err != nil {
		t.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	// Numbers below this one are free, so that the pipe gets a low one.
	high, err := unix.FcntlInt(null.Fd(), unix.F_DUPFD_CLOEXEC, 200)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(high)
	run := func(number int, files []uintptr) error {
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if err := unix.Dup3(fd, number, unix.O_CLOEXEC); err != nil {
			return err
		}
		prog := os.NewFile(uintptr(number), path)
		defer prog.Close()
		pid, err := forkExec(prog, []string{"true"}, &syscall.ProcAttr{Files: files})
		if err != nil {
			return err
		}
		var ws syscall.WaitStatus
		for {
			if _, err = syscall.Wait4(pid, &ws, 0, nil); err != syscall.EINTR {
				break
			}
		}
		if err == nil && ws.ExitStatus() != 0 {
			err = fmt.Errorf("it ended with %#x", ws)
		}
		return err
	}
	for gap := -2; gap <= 12; gap++ {
		if gap == 0 {
			continue
		}
		if err := run(high+gap, []uintptr{null.Fd(), null.Fd(), null.Fd(), uintptr(high)}); err != nil {
			t.Errorf("%d from the highest: %v", gap, err)
		}
	}
	many := make([]uintptr, high+8)
	for i := range many {
		many[i] = null.Fd()
	}
	if err := run(high+4, many); err != nil {
		t.Errorf("at a place of the child's: %v", err)
	}
}
