//go:build linux

package monitor

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSeal: the file that monitors run cannot be written to, by no name, whichever way it was
// sealed; the program itself can. A program that was replaced or deleted since it was started is copied.
func TestSeal(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting an overlay takes privilege")
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "a:b", `c\d`)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	box, err := exec.LookPath("true")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(box)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		copied     bool
	}{
		{"itself", "", false},
		{"odd names", name, false},
		{"link", link, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := sealProgram(c.path, filepath.Join(dir, "empty"))
			if err != nil {
				t.Fatal(err)
			}
			defer s.file.Close()
			if s.copy != c.copied {
				t.Errorf("it is a copy: %v", s.copy)
			}
			for _, flag := range []int{os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC} {
				f, err := os.OpenFile(fdPath(s.file), flag, 0)
				if err != nil {
					if !errors.Is(err, unix.EROFS) && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.ETXTBSY) {
						t.Errorf("open %#x: %v", flag, err)
					}
					continue
				}
				if _, err := f.WriteAt([]byte("x"), 0); err == nil {
					t.Errorf("it was written to (%#x)", flag)
				}
				f.Close()
			}
			cmd := exec.Command(fdPath(s.file), "-test.run=^$")
			cmd.Stdout = io.Discard
			if err := cmd.Run(); err != nil {
				t.Errorf("it cannot be executed: %v", err)
			}
		})
	}
	if _, err := sealProgram(filepath.Join(dir, "nosuch"), filepath.Join(dir, "empty")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a program that is not there: %v", err)
	}
	if f, err := overlaid(name, box, filepath.Join(dir, "empty")); err == nil {
		f.Close()
		t.Error("another file was taken for the program")
	}
}
