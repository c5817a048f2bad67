//go:build linux

package monitor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// TestLogFull: output that the log cannot take stops nothing, and is not lost without a trace: the state says so while
// the container runs, and its end.
func TestLogFull(t *testing.T) {
	r := newRig(t)
	id := r.sh("seq 1 100000; echo done >&2; read line; exit 3", openStdin)
	dir := filepath.Join(r.Store.Dir(id), "log")
	if err := unix.Mount("berth-test", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	w := r.waiter(id, engine.WaitNextExit)
	s := r.attach(id, engine.AttachOptions{Stdin: true, Stdout: true, Stderr: true})
	r.start(id)
	const want = "output is missing in the log"
	r.eventually("the state tells of the log", func() bool {
		run, err := r.Store.ReadRun(id)
		return err == nil && run != nil && strings.Contains(run.Error, want)
	})
	if _, err := s.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	out, errw := r.read(s)
	if strings.Count(out, "\n") != 100000 || errw != "done\n" {
		t.Errorf("%d lines, and %q", strings.Count(out, "\n"), errw)
	}
	if code := r.code(w); code != 3 {
		t.Errorf("the code is %d", code)
	}
	if e, err := r.Store.ReadExit(id); err != nil || e == nil || e.Code != 3 || !strings.Contains(e.Error, want) {
		t.Errorf("exit.json is %+v, %v", e, err)
	}
	if text, err := os.ReadFile(filepath.Join(r.Store.Dir(id), "monitor.log")); !strings.Contains(string(text), want) {
		t.Errorf("monitor.log is %q, %v", text, err)
	}
	unix.Unmount(dir, unix.MNT_DETACH)

	other := r.sh("echo fine", nil)
	r.run(other)
	if e, err := r.Store.ReadExit(other); err != nil || e == nil || e.Error != "" {
		t.Errorf("exit.json of another one is %+v, %v", e, err)
	}
	if _, err := os.Stat(filepath.Join(r.Store.Dir(other), "monitor.log")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its monitor had something to say: %v", err)
	}
}
