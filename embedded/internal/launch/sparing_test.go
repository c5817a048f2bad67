//go:build linux && !berth_nofork

package launch

import (
	"bytes"
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// TestForkSparing is TestFork for children that have no heap: the program runs from memory of its own, and
// afterwards this process can fork as always.
func TestForkSparing(t *testing.T) {
	calm := bustle()
	secret := bytes.Repeat([]byte("secret"), 1000)
	for i := range 200 {
		p := newProgram()
		report := p.fd("report")
		r, w := pipe(t)
		walked := p.open("walk", opWalk, num(-100), p.str("/./."), num(0))
		p.add("close", "close", walked.val())
		p.add("write", "write", report, p.str("12345678"), num(8))
		p.add("write a string that a pointer leads to", "write", report, p.strs([]string{"x"}), num(8))
		p.ignore(p.add("write what is in the heap", "write", report, num(uintptr(unsafe.Pointer(&secret[0]))), num(8)), unix.EFAULT)
		p.add("close others", opClose)
		p.add("fail", opFail, num(uint32(unix.EXDEV)))
		fd, err := dup(w)
		if err != nil {
			t.Fatal(err)
		}
		m, err := p.link([]int{fd})
		if err != nil {
			t.Fatal(err)
		}
		far, where, drop, err := p.moved(m)
		if err != nil {
			t.Fatal(err)
		}
		spare := without(spared(), where)
		if len(spare) == 0 {
			t.Fatal("this process has no memory to spare")
		}
		pid, pidfd, err := forkSparing(far, spare, 0)
		if err != nil {
			t.Fatal(err)
		}
		drop()
		unix.Close(fd)
		w.Close()
		b := make([]byte, 64)
		n := 0
		for n < 24 {
			k, err := r.Read(b[n:])
			if err != nil {
				t.Fatalf("fork %d: %v after %q", i, err, b[:n])
			}
			n += k
		}
		if string(b[:8]) != "12345678" || b[16] != 6 || b[20] != byte(unix.EXDEV) {
			t.Fatalf("the child wrote %q", b[:n])
		}
		runtime.KeepAlive(secret)
		if at := word(b[8:16]); at < uint64(where.from) || at >= uint64(where.to) {
			t.Errorf("a string is at %#x, not in %#x", at, where)
		}
		s, err := wait(newPidfd(pidfd))
		if err != nil || s.Code != 127 {
			t.Fatalf("the child %d ended with %v %v", pid, s, err)
		}
		r.Close()
	}
	calm()
	if smaps, err := os.ReadFile("/proc/self/smaps"); err != nil || strings.Contains(string(smaps), " dc ") {
		t.Errorf("memory stays out of forks (flag dc): %v", err)
	}
	plainFork(t)
}

// plainFork forks without sparing anything: the child reads the heap.
func plainFork(t *testing.T) {
	p := newProgram()
	report := p.fd("report")
	r, w := pipe(t)
	p.add("write", "write", report, p.str("12345678"), num(8))
	fd, err := dup(w)
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.link([]int{fd})
	if err != nil {
		t.Fatal(err)
	}
	f, err := forkAndRun(m, 0, 0, kernel{clone3: true, closeRange: true})
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
	w.Close()
	b := make([]byte, 8)
	if _, err := r.Read(b); err != nil || string(b) != "12345678" {
		t.Errorf("a child that has all memory wrote %q, %v", b, err)
	}
	if _, err := wait(f.pidfd); err != nil {
		t.Error(err)
	}
	f.pidfd.Close()
	r.Close()
}

func TestSpans(t *testing.T) {
	const maps = `00400000-00a8c000 r-xp 00000000 00:2c 10330644                           /program
00a8c000-01106000 r--p 0068c000 00:2c 10330644                           /program
01106000-0116a000 rw-p 00d06000 00:2c 10330644                           /program
0116a000-0117b000 rw-p 00000000 00:00 0 
0117b000-0118b000 rw-p 00000000 00:00 0 
c000000000-c000400000 rw-p 00000000 00:00 0                              [anon: Go: heap]
c000400000-c004000000 ---p 00000000 00:00 0 
7fa0cfe40000-7fa0d0100000 rw-p 00000000 00:00 0 
7fa0d0200000-7fa0d0300000 rw-s 00000000 00:01 77                         /dev/zero (deleted)
7fa0d0300000-7fa0d0301000 rw-p 00000000 00:00 0 
7fa116c1a000-7fa116c1e000 r--p 00000000 00:00 0                          [vvar]
7ffe52081000-7ffe520a2000 rw-p 00000000 00:00 0                          [stack]
`
	want := []span{{0xc000000000, 0xc000400000}}
	if !usesCgo {
		want = append(want, span{0xc000400000, 0xc004000000}, span{0x7fa0cfe40000, 0x7fa0d0100000}, span{0x7fa0d0300000, 0x7fa0d0301000})
	}
	got := spansOf([]byte(maps), 0xc000000080)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(span{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got = without([]span{{10, 20}, {30, 40}, {50, 60}}, span{15, 55})
	if diff := cmp.Diff([]span{{10, 15}, {55, 60}}, got, cmp.AllowUnexported(span{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got = without([]span{{10, 40}}, span{20, 30})
	if diff := cmp.Diff([]span{{10, 20}, {30, 40}}, got, cmp.AllowUnexported(span{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
