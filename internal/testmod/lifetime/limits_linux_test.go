package lifetime

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth"
)

func init() {
	// files N NAME: runs a container with N descriptors more than it has. filtered NUMBER ERRNO THIRD NAME: where a system call with this third argument, any if it is negative, fails.
	jobs["files"] = func(ctx context.Context, cli *berth.Client, _ func(string), args []string) error {
		var n, last int
		fmt.Sscan(args[0], &n)
		fd, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		last = fd
		unix.Close(fd)
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(last + n), Max: uint64(last + n)}); err != nil {
			return err
		}
		return runAndRemove(ctx, cli, args[1])
	}
	jobs["filtered"] = func(ctx context.Context, cli *berth.Client, _ func(string), args []string) error {
		var number, errno uint32
		third := -1
		fmt.Sscan(args[0], &number)
		fmt.Sscan(args[1], &errno)
		fmt.Sscan(args[2], &third)
		if err := filter(number, errno, third); err != nil {
			return err
		}
		return runAndRemove(ctx, cli, args[3])
	}
}

// runAndRemove runs a command in the default network; what of it fails says why, and the container can be removed.
func runAndRemove(ctx context.Context, cli *berth.Client, name string) error {
	spec := sleeperThatEnds()
	spec.Name = name
	c, err := cli.Containers.Create(ctx, spec)
	if err != nil {
		return err
	}
	err = c.Start(ctx)
	if err == nil {
		var ex berth.Exit
		if ex, err = c.Wait(ctx); err == nil && ex.Code != 0 {
			err = fmt.Errorf("it has ended with %d: %s", ex.Code, ex.Error)
		}
	}
	return err
}

// filter makes a system call fail, for this process and all that it starts. A third argument that is not negative must be that one.
func filter(number, errno uint32, third int) error {
	skip := uint8(0)
	if third < 0 {
		skip = 2 // the look at the argument
	}
	prog := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: number, Jt: skip, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 16 + 2*8}, // the lower half, of a little endian machine
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(max(third, 0)), Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0x00050000 | errno}, // SECCOMP_RET_ERRNO
		{Code: unix.BPF_RET | unix.BPF_K, K: 0x7fff0000},         // SECCOMP_RET_ALLOW
	}
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	const setModeFilter, tsync = 1, 1
	_, _, e := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, tsync, uintptr(unsafe.Pointer(&fprog)))
	runtime.KeepAlive(prog)
	if e != 0 {
		return fmt.Errorf("seccomp: %w", e)
	}
	return nil
}

// TestFewFiles: a program that may open no more files is told so, at whatever point it happens, and what there is can be removed.
func TestFewFiles(t *testing.T) {
	w := newWorld(t)
	before := w.settled(t)
	cli := w.client(t)
	succeeded := false
	const most = 48
	for n := 0; n < most; n += 2 {
		name := fmt.Sprint("few", n)
		p := w.start(t, "files", fmt.Sprint(n), name)
		p.begin()
		kind, text := p.end()
		switch {
		case kind == "ok":
			succeeded = true
		case kind == "killed":
			t.Errorf("%d: it died: %s", n, text)
		case !strings.Contains(text, unix.EMFILE.Error()) && !strings.Contains(text, unix.EINVAL.Error()):
			t.Errorf("%d: %s: %s", n, kind, text)
		}
		if err := cli.Containers.Remove(t.Context(), name, berth.RemoveOptions{Force: true}); err != nil && !errors.Is(err, berth.ErrNotFound) {
			t.Errorf("%d: remove: %v", n, err)
		}
	}
	if !succeeded {
		t.Errorf("%d files are not enough to run a container", most)
	}
	w.nothingNew(t, before)
}

// TestFiltered: where an outer seccomp filter forbids what the start path would like to use, there is another way or a clear error.
func TestFiltered(t *testing.T) {
	w := newWorld(t)
	before := w.settled(t)
	cli := w.client(t)
	for _, c := range []struct {
		name   string
		number uint32
		third  int
		errno  unix.Errno
		want   string // "" is that it works
	}{
		{"clone3", unix.SYS_CLONE3, -1, unix.ENOSYS, ""},
		{"too many processes", unix.SYS_CLONE3, -1, unix.EAGAIN, unix.EAGAIN.Error()},
		{"openat2", unix.SYS_OPENAT2, -1, unix.ENOSYS, "openat2"},
		{"fsopen", unix.SYS_FSOPEN, -1, unix.ENOSYS, "fsopen"},
		{"unshare", unix.SYS_UNSHARE, -1, unix.EPERM, ""},
		{"sched_setaffinity", unix.SYS_SCHED_SETAFFINITY, -1, unix.EPERM, ""},
		{"bpf", unix.SYS_BPF, -1, unix.EPERM, ""},
		{"nf_tables", unix.SYS_SOCKET, unix.NETLINK_NETFILTER, unix.EPROTONOSUPPORT, "nf"},
		{"socket", unix.SYS_SOCKET, 0, unix.EPERM, unix.EPERM.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			var kind, text string
			for range 10 { // a program that needs a thread itself just then is ended by its own runtime
				p := w.start(t, "filtered", fmt.Sprint(c.number), fmt.Sprint(uint32(c.errno)), fmt.Sprint(c.third), "filtered")
				p.begin()
				if kind, text = p.end(); kind != "killed" || c.errno != unix.EAGAIN || !noThread(text) {
					break
				}
				if err := cli.Containers.Remove(t.Context(), "filtered", berth.RemoveOptions{Force: true}); err != nil && !errors.Is(err, berth.ErrNotFound) {
					t.Errorf("remove: %v", err)
				}
			}
			switch {
			case c.want == "" && kind != "ok":
				t.Errorf("%s: %s", kind, text)
			case c.errno == unix.EAGAIN && kind == "unavailable" && noThread(text) && strings.Contains(text, "RLIMIT_NPROC"):
				// The monitor of a program with cgo: its runtime ends it when there is no thread to be had, and says so in its own words.
			case c.want != "" && kind != "ok" && !strings.Contains(text, c.want) && !strings.Contains(text, c.errno.Error()):
				t.Errorf("%s: %s, which does not tell of %s", kind, text, c.want)
			}
			t.Logf("%s: %s", kind, text)
			if err := cli.Containers.Remove(t.Context(), "filtered", berth.RemoveOptions{Force: true}); err != nil && !errors.Is(err, berth.ErrNotFound) {
				t.Errorf("remove: %v", err)
			}
		})
	}
	w.nothingNew(t, before)
}
