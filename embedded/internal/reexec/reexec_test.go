//go:build linux

package reexec

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

const role = "berth-test-role"

func init() {
	Register(role, func() {
		syscall.Write(1, []byte("the role runs\n"))
		syscall.Write(FD, []byte("hello"))
	})
}

// TestRegister: the role runs when it is called by its name with the right socket, and in no other process.
func TestRegister(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	pair := func(typ int) func(t *testing.T) (ours, theirs *os.File) {
		return func(t *testing.T) (*os.File, *os.File) {
			fds, err := syscall.Socketpair(syscall.AF_UNIX, typ|syscall.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			return os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
		}
	}
	for _, c := range []struct {
		name string
		argv string
		fd   func(t *testing.T) (ours, theirs *os.File)
		uid  uint32
		runs bool
	}{
		{"right", role, pair(syscall.SOCK_SEQPACKET), 0, true},
		{"another name", "berth-test-rol", pair(syscall.SOCK_SEQPACKET), 0, false},
		{"a path", "/bin/" + role, pair(syscall.SOCK_SEQPACKET), 0, false},
		{"no descriptor", role, func(*testing.T) (*os.File, *os.File) { return nil, nil }, 0, false},
		{"stream socket", role, pair(syscall.SOCK_STREAM), 0, false},
		{"datagram socket", role, pair(syscall.SOCK_DGRAM), 0, false},
		{"pipe", role, func(t *testing.T) (*os.File, *os.File) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			return w, r
		}, 0, false},
		{"not connected", role, func(t *testing.T) (*os.File, *os.File) {
			fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			return nil, os.NewFile(uintptr(fd), "theirs")
		}, 0, false},
		{"another user", role, pair(syscall.SOCK_SEQPACKET), 1001, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ours, theirs := c.fd(t)
			path := exe
			cmd := &exec.Cmd{Path: path, Args: []string{c.argv, "-test.run=^$"}}
			if c.uid != 0 {
				if os.Geteuid() != 0 {
					t.Fatal("this test changes its user: run it as root")
				}
				// Another user must be able to reach the binary.
				dir, err := os.MkdirTemp("", "reexec")
				if err != nil {
					t.Fatal(err)
				}
				defer os.RemoveAll(dir)
				b, err := os.ReadFile(exe)
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, "t"), b, 0o755)
				}
				if err == nil {
					err = os.Chmod(dir, 0o755)
				}
				if err != nil {
					t.Fatal(err)
				}
				cmd.Path, cmd.Dir = filepath.Join(dir, "t"), dir
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: c.uid, Gid: c.uid}}
			}
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if theirs != nil {
				cmd.ExtraFiles = []*os.File{theirs}
			}
			if err := cmd.Run(); err != nil {
				t.Errorf("%v: %s", err, out.String())
			}
			if theirs != nil {
				theirs.Close()
			}
			if runs := out.String() == "the role runs\n"; runs != c.runs {
				t.Errorf("the output is %q", out.String())
			}
			if c.runs {
				if b, err := io.ReadAll(ours); string(b) != "hello" {
					t.Errorf("the role wrote %q to its socket: %v", b, err)
				}
			}
			if ours != nil {
				ours.Close()
			}
		})
	}
}
