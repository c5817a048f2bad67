//go:build linux && !berth_nofork

package launch

import (
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// forks is how often a test forks: a slow, emulated machine does not find what only many find.
func forks() int {
	if testing.Short() {
		return 40
	}
	return 200
}

// TestFork is the probe for the runtime's private names in fork_linux.go: after many forks
// beside running goroutines, allocation and signals, children and parent are what they
// should be. If it fails, or does not link, with a new Go release: build with the tag
// berth_nofork, which takes the re-exec stage.
func TestFork(t *testing.T) {
	if !canFork {
		t.Fatal("this build does not fork")
	}
	calm := bustle()
	for i := range forks() {
		p := newProgram()
		report := p.fd("report")
		r, w := pipe(t)
		p.add("write", "write", report, p.str("12345678"), num(8))
		p.add("fail", opFail, num(uint32(unix.EXDEV)))
		fd, err := dup(w)
		if err != nil {
			t.Fatal(err)
		}
		m, err := p.link([]int{fd})
		if err != nil {
			t.Fatal(err)
		}
		f, err := forkAndRun(m, 0, 0, kernel{clone3: i%2 == 0, closeRange: true})
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
		w.Close()
		b := make([]byte, 64)
		n, _ := r.Read(b)
		for n < 16 {
			k, err := r.Read(b[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += k
		}
		if string(b[:8]) != "12345678" || b[8] != 1 || b[12] != byte(unix.EXDEV) {
			t.Fatalf("the child wrote %q", b[:n])
		}
		s, err := wait(f.pidfd)
		if err != nil || s.Code != 127 {
			t.Fatalf("the child ended with %v %v", s, err)
		}
		f.pidfd.Close()
		r.Close()
	}
	calm()
	if b, err := os.ReadFile("/proc/self/status"); err != nil || !strings.Contains(string(b), "SigBlk:\t0000000000000000") {
		t.Errorf("signals stay blocked after a fork: %v %s", err, b)
	}
}

// bustle keeps the runtime busy: stacks grow, memory is collected, threads are preempted. calm ends it.
func bustle() (calm func()) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					_ = strings.Repeat("x", i%100000)
					if i%100 == 0 {
						runtime.GC()
					}
				}
			}
		})
	}
	return func() {
		close(stop)
		wg.Wait()
	}
}
