package server

import (
	"encoding/binary"
	"runtime"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// helper is a thread for what can be done beside something else, on another processor than that of whoever gives it work. Left to
// itself the kernel has it wait for that same processor, when the others sleep: those of a virtual machine seem to it
// not to be there then. And it is woken by the kernel, without Go's scheduler, which would first look for a thread that has time.
type helper struct {
	jobs  chan func()
	tid   int
	event int // an eventfd, which counts the jobs
}

// newHelper starts the thread, which ends with the process; nil: it cannot.
func newHelper() *helper {
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_SEMAPHORE)
	if err != nil {
		return nil
	}
	h := &helper{jobs: make(chan func(), 8), event: event}
	begun := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		h.tid = unix.Gettid()
		close(begun)
		var one [8]byte
		for {
			switch _, err := unix.Read(event, one[:]); err {
			case nil:
				f := <-h.jobs
				f()
			case unix.EINTR:
			default:
				panic("monitor: read the helper's eventfd: " + err.Error())
			}
		}
	}()
	<-begun
	return h
}

// do has the thread do f, after what it was given before.
func (h *helper) do(f func()) {
	h.jobs <- f
	// Where there is no other processor for us, and where this is refused, it runs where it may.
	var cpus unix.CPUSet
	if unix.SchedGetaffinity(0, &cpus) == nil && cpus.Count() > 1 {
		var cpu uint32
		if _, _, e := unix.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&cpu)), 0, 0); e == 0 {
			cpus.Clear(int(cpu))
			unix.SchedSetaffinity(h.tid, &cpus)
		}
	}
	unix.Write(h.event, binary.NativeEndian.AppendUint64(nil, 1)) // it does not fail, as long as the counter has room
}

// beside has the helper do f; without one, another goroutine.
func (m *monitor) beside(g *sync.WaitGroup, f func()) {
	if m.helper == nil {
		g.Go(f)
		return
	}
	g.Add(1)
	m.helper.do(func() {
		defer g.Done()
		f()
	})
}
