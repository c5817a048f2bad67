package monitor

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/nproc"
)

// A process that this program starts has a file in memory as its standard error, as long as it lives: what the runtime of Go
// or of C says before it ends the process is found there. Nobody has to read it, and it outlives this program.

// newSaid makes such a file; nil, which is /dev/null, where there can be none.
func newSaid() *os.File {
	const mfdNoexecSeal = 0x8 // MFD_NOEXEC_SEAL, since Linux 6.3
	fd, err := unix.MemfdCreate("berth-stderr", unix.MFD_CLOEXEC|mfdNoexecSeal)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate("berth-stderr", unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), "stderr")
}

// mostSaid bounds what is read of it, in bytes.
const mostSaid = 4 << 10

// why tells why a process of [Client.start] has ended, or is about to: what it has said, or its status. It is "" where neither is known.
func (c *Client) why(pid int, said *os.File) string {
	ws, ended := c.status(pid)
	words := ""
	if said != nil {
		b := make([]byte, mostSaid)
		n, _ := said.ReadAt(b, 0)
		words = string(b[:max(n, 0)])
	}
	first, _, _ := strings.Cut(strings.TrimSpace(words), "\n")
	switch {
	case nproc.Told(words):
		return first + " (" + nproc.Hint + ")"
	case first != "":
		return first
	case ended && ws.Signaled():
		return fmt.Sprintf("it was ended by signal %d (%v)", int(ws.Signal()), ws.Signal())
	case ended:
		return fmt.Sprintf("its exit status is %d", ws.ExitStatus())
	}
	return ""
}

// status waits a moment for the end of a child, which is due, and reaps it.
func (c *Client) status(pid int) (ws syscall.WaitStatus, ended bool) {
	for deadline := time.Now().Add(time.Second); ; time.Sleep(time.Millisecond) {
		c.mu.Lock()
		i := slices.Index(c.children, pid)
		got, err := 0, error(nil)
		if i >= 0 { // else it is not ours, or reaped already, and the pid may be another process's
			if got, err = syscall.Wait4(pid, &ws, syscall.WNOHANG, nil); got == pid {
				c.children = slices.Delete(c.children, i, i+1)
			}
		}
		c.mu.Unlock()
		switch {
		case i >= 0 && got == pid:
			return ws, true
		case i < 0, err != nil && err != syscall.EINTR, time.Now().After(deadline):
			return ws, false
		}
	}
}
