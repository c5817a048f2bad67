//go:build linux

package monitor

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// TestRootOnce: a container that is started again at once finds what it has written, and its root file system is mounted once at a time,
// though a monitor unmounts it only after it has told of the end: the kernel would complain of a second mount.
func TestRootOnce(t *testing.T) {
	kernel, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(kernel)
	if _, err := unix.Seek(kernel, 0, unix.SEEK_END); err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	id := r.sh("echo run >>/runs", nil)
	const runs = 20
	for range runs {
		w := r.waiter(id, engine.WaitNextExit)
		r.start(id)
		if code := r.code(w); code != 0 {
			t.Fatalf("code %d", code)
		}
	}
	if data, err := os.ReadFile(r.Store.Dir(id) + "/upper/runs"); err != nil || bytes.Count(data, []byte("run\n")) != runs {
		t.Errorf("%d runs have written %q, %v", runs, data, err)
	}
	record := make([]byte, 8<<10)
	for {
		n, err := unix.Read(kernel, record)
		switch {
		case err == unix.EAGAIN:
			return
		case err != nil && !errors.Is(err, unix.EPIPE): // what was overwritten is passed over
			t.Fatal(err)
		case err == nil && bytes.Contains(record[:n], []byte("of another mount")):
			t.Errorf("the kernel says: %s", record[:n])
		}
	}
}
