//go:build linux && !berth_nofork && (amd64 || arm64)

package launch

import (
	"encoding/binary"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestForkShared is TestFork for children that share the memory: beside them goroutines run, stacks grow and memory
// is collected, and the one that sleeps below its child keeps what it has on its stack.
func TestForkShared(t *testing.T) {
	calm := bustle()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range forks() {
		p := newProgram()
		report, sync := p.fd("report"), p.fd("sync")
		r, w := pipe(t)
		waits, goOn := pipe(t)
		p.add("wait", "read", sync, p.words(0), num(1))
		walked := p.open("walk", opWalk, num(-100), p.str("/.././"), num(0))
		p.add("close", "close", walked.val())
		p.add("write", "write", report, p.str("12345678"), num(8))
		p.add("fail", opFail, num(uint32(unix.EXDEV)))
		fds := make([]int, 2)
		for i, f := range []*os.File{w, waits} {
			fd, err := dup(f)
			if err != nil {
				t.Fatal(err)
			}
			unix.SetNonblock(fd, false) // for the child; the runtime polls for the others' ends
			fds[i] = fd
		}
		m, err := p.link(fds)
		if err != nil {
			t.Fatal(err)
		}
		pidfd, tid := new(int32), new(int32)
		ca := &cloneArgs{
			flags: unix.CLONE_VM | unix.CLONE_VFORK | unix.CLONE_PIDFD | unix.CLONE_PARENT_SETTID,
			pidfd: uint64(uintptr(unsafe.Pointer(pidfd))), parentTid: uint64(uintptr(unsafe.Pointer(tid))), exitSignal: uint64(unix.SIGCHLD),
		}
		told := make(chan string, 1)
		go func() { // while the other one sleeps
			b := make([]byte, 3*reportHead)
			if _, err := io.ReadFull(r, b[:reportHead]); err != nil || binary.NativeEndian.Uint32(b) != reportBegun || *tid <= 0 {
				told <- "the child has not begun"
				goOn.Write([]byte{1})
				return
			}
			runtime.GC()
			goOn.Write([]byte{1})
			r.SetReadDeadline(time.Now().Add(time.Minute))
			io.ReadFull(r, b[reportHead:])
			told <- string(b[reportHead:])
		}()
		got := forkShared(m, ca)
		text := <-told
		if int32(got) <= 0 || int32(got) != *tid {
			t.Fatalf("clone3 gave %d, the kernel wrote %d", int(got), *tid)
		}
		if len(text) < 16 || text[:8] != "12345678" || text[8] != 4 || text[12] != byte(unix.EXDEV) {
			t.Fatalf("the child wrote %q", text)
		}
		f := newPidfd(int(*pidfd))
		s, err := wait(f)
		if err != nil || s.Code != 127 {
			t.Fatalf("the child ended with %v %v", s, err)
		}
		runtime.KeepAlive(m)
		for _, f := range []*os.File{f, r, w, waits, goOn} {
			f.Close()
		}
		for _, fd := range fds {
			unix.Close(fd)
		}
	}
	calm()
	if b, err := os.ReadFile("/proc/self/status"); err != nil || !strings.Contains(string(b), "SigBlk:\t0000000000000000") {
		t.Errorf("signals stay blocked after a fork: %v %s", err, b)
	}
}
