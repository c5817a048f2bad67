//go:build linux

package launch

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Some tests need another process of this program: it runs one of these instead of the tests.
const otherEnv = "BERTH_LAUNCH_TEST"

var others = map[string]func(root string) error{
	// parent starts a container and waits to be killed.
	"parent": func(root string) error {
		p, err := Start(Config{Spec: dockerSpec(root, "sleep", "1000"), options: options{reexec: os.Getenv(otherEnv+"_WAY") == "stage"}})
		if err != nil {
			return err
		}
		fmt.Println(p.PID)
		for {
			time.Sleep(time.Hour) // select {} is a deadlock to a program without cgo
		}
	},
	// propagation mounts on the host's side and in containers, in a mount namespace of its own.
	"propagation": func(root string) error {
		runtime.LockOSThread()
		if err := errors.Join(unix.Unshare(unix.CLONE_NEWNS|unix.CLONE_FS), unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, "")); err != nil {
			return err
		}
		vol := filepath.Join(filepath.Dir(root), "vol")
		if err := errors.Join(os.Mkdir(vol, 0o755), unix.Mount("vol", vol, "tmpfs", 0, ""), unix.Mount("", vol, "", unix.MS_SHARED, ""), os.Mkdir(vol+"/h", 0o755), os.Mkdir(vol+"/c", 0o755)); err != nil {
			return err
		}
		all, err := Available()
		if err != nil {
			return err
		}
		for _, k := range []*kernel{nil, {}} {
			for _, c := range []struct {
				option, root string
				in, out      string // what the container sees of the host's new mount, and the host of the container's
			}{
				{"rprivate", "", "", ""},
				{"rslave", "", "seen", ""},
				{"rshared", "rshared", "seen", "seen"},
				{"", "", "seen", ""},
				{"rprivate", "rshared", "", ""},
			} {
				spec := dockerSpec(root, "sleep", "1000")
				spec.Linux.RootfsPropagation = c.root
				spec.Mounts = append(spec.Mounts, specs.Mount{Destination: "/vol", Source: vol, Options: []string{"rbind", c.option}})
				p, err := Start(Config{Spec: spec, options: options{kernel: k}})
				if err != nil {
					return err
				}
				err = func() error {
					if err := errors.Join(unix.Mount("x", vol+"/h", "tmpfs", 0, ""), os.WriteFile(vol+"/h/f", []byte("seen"), 0o644)); err != nil {
						return err
					}
					defer unix.Unmount(vol+"/h", unix.MNT_DETACH)
					proc := dockerSpec("", "/bin/sh", "-c", "cat /vol/h/f 2>/dev/null; mount -t tmpfs x /vol/c && echo -n seen > /vol/c/f").Process
					proc.Capabilities = &specs.LinuxCapabilities{Bounding: all, Effective: all, Permitted: all}
					r, w, err := os.Pipe()
					if err != nil {
						return err
					}
					e, err := Exec(ExecConfig{Container: p.PID, Process: proc, Stdout: w, Stderr: os.Stderr})
					w.Close()
					if err != nil {
						return err
					}
					in, _ := io.ReadAll(r)
					r.Close()
					if s, err := e.Wait(); err != nil || s.Code != 0 {
						return fmt.Errorf("exec ended with %v %v", s, err)
					}
					out, _ := os.ReadFile(vol + "/c/f")
					if string(in) != c.in || string(out) != c.out {
						return fmt.Errorf("%+v: the container sees %q, the host %q", c, in, out)
					}
					return nil
				}()
				unix.Unmount(vol+"/c", unix.MNT_DETACH)
				p.kill()
				if err != nil {
					return err
				}
			}
		}
		return nil
	},
	// limit prints the limit of open files in a container, a line for each of two processes, whichever is the first.
	"limit": func(root string) error {
		for _, o := range []options{{}, {reexec: true}} {
			p, err := Start(Config{Spec: dockerSpec(root, "/bin/sh", "-c", `echo "$(ulimit -Sn) $(ulimit -Hn)"; sleep 1000`), Stdout: os.Stdout, options: o})
			if err != nil {
				return err
			}
			e, err := Exec(ExecConfig{Container: p.PID, Process: dockerSpec("", "/bin/sh", "-c", `echo "$(ulimit -Sn) $(ulimit -Hn)"`).Process, Stdout: os.Stdout, options: o})
			if err == nil {
				_, err = e.Wait()
			}
			time.Sleep(100 * time.Millisecond) // until the first process has printed too
			p.kill()
			if err != nil {
				return err
			}
		}
		return nil
	},
	// rootless starts containers as an ordinary user and prints what they do.
	"rootless": func(root string) error {
		spec := rootlessSpec(root, "id -u; id -g; cat /proc/self/uid_map | tr -s ' '; echo x > /dev/null; touch /made; stat -c %u /made; ls -l /dev/zero | cut -c1-10; hostname; grep ^Seccomp: /proc/self/status")
		withSeccomp(nil, spec)
		for _, o := range []options{{}, {reexec: true}, {kernel: &kernel{}}} {
			p, err := Start(Config{Spec: spec, Stdout: os.Stdout, Stderr: os.Stderr, options: o})
			if err != nil {
				return err
			}
			if s, err := p.Wait(); err != nil || s.Code != 0 {
				return fmt.Errorf("it ended with %v %v", s, err)
			}
		}
		line := "cat order; echo new > /new; rm -r /etc && mkdir /etc && cat /new; sleep 1000"
		if unix.Setxattr(root, "user.test", nil, 0) == unix.EOPNOTSUPP { // without them overlay cannot replace a directory
			line = "cat order; echo new > /new; cat /new; sleep 1000"
		}
		spec = rootlessSpec("", line)
		dir := filepath.Dir(root)
		for _, d := range []string{"lower", "upper", "work"} {
			os.Mkdir(filepath.Join(dir, d), 0o755)
		}
		if err := os.WriteFile(filepath.Join(dir, "lower/order"), []byte("top\n"), 0o644); err != nil {
			return err
		}
		p, err := Start(Config{Spec: spec, Stdout: os.Stdout, Stderr: os.Stderr, Overlay: &Overlay{
			Lower: []string{filepath.Join(dir, "lower"), root}, Upper: filepath.Join(dir, "upper"), Work: filepath.Join(dir, "work"), UserXattr: true,
		}})
		if err != nil {
			return err
		}
		defer p.kill()
		proc := dockerSpec("", "/bin/sh", "-c", "id -u; hostname; ls /new; readlink /proc/1/exe").Process
		proc.Capabilities = spec.Process.Capabilities
		time.Sleep(200 * time.Millisecond) // until /new is there: only the order of the output depends on it
		for _, o := range []options{{}, {reexec: true}} {
			e, err := Exec(ExecConfig{Container: p.PID, Process: proc, UserNS: true, Stdout: os.Stdout, Stderr: os.Stderr, options: o})
			if err != nil {
				return err
			}
			if s, err := e.Wait(); err != nil || s.Code != 0 {
				return fmt.Errorf("exec ended with %v %v", s, err)
			}
		}
		return nil
	},
}

// rootlessSpec is a configuration that an ordinary user may start.
func rootlessSpec(root, line string) *specs.Spec {
	s := dockerSpec(root, "/bin/sh", "-c", line)
	s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
	s.Linux.UIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: uint32(os.Geteuid()), Size: 1}}
	s.Linux.GIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: uint32(os.Getegid()), Size: 1}}
	s.Mounts = slices.DeleteFunc(s.Mounts, func(m specs.Mount) bool { return m.Type == "cgroup" })
	for i, m := range s.Mounts {
		s.Mounts[i].Options = slices.DeleteFunc(m.Options, func(o string) bool { return o == "gid=5" })
	}
	return s
}

// other is a command that runs one of others.
func other(t *testing.T, name, root string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), otherEnv+"="+name, otherEnv+"_ROOT="+root)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestMain(m *testing.M) {
	if f := others[os.Getenv(otherEnv)]; f != nil {
		if err := f(os.Getenv(otherEnv + "_ROOT")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "these tests start containers: run them as root")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestParentDies: a container does not outlive the process that started it.
func TestParentDies(t *testing.T) {
	for _, way := range []string{"fork", "stage"} {
		cmd := other(t, "parent", rootfs(t))
		cmd.Env = append(cmd.Env, otherEnv+"_WAY="+way)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			t.Fatal(err)
		}
		cmd.Process.Kill()
		cmd.Wait()
		// Ends when the container does; the test's own limit is the only one.
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			n, err := unix.Poll(poll, -1)
			if n == 1 {
				break
			}
			if err != unix.EINTR {
				t.Fatal(err)
			}
		}
		unix.Close(fd)
	}
}

// TestRootless starts and executes as an ordinary user, with the one id that the kernel lets him map.
func TestRootless(t *testing.T) {
	root := rootfs(t)
	dir := filepath.Dir(root)
	filepath.Walk(root, func(p string, fi os.FileInfo, err error) error { return os.Lchown(p, 1001, 1001) })
	os.Chown(dir, 1001, 1001)
	for d := dir; d != os.TempDir(); d = filepath.Dir(d) {
		os.Chmod(d, 0o755)
	}
	cmd := other(t, "rootless", root)
	// The binary of the test may lie where the user cannot reach it.
	exe, err := os.ReadFile(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Path = filepath.Join(dir, "launch.test")
	write(t, cmd.Path, string(exe), 0o755)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1001, Gid: 1001}}
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(out)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	one := "0\n0\n 0 1001 1\n0\ncrw-rw-rw-\nbox\nSeccomp:\t2\n"
	want := strings.Repeat(one, 3) + "top\nnew\n" + strings.Repeat("0\nbox\n/new\n/bin/busybox\n", 2)
	if string(b) != want {
		t.Errorf("got %q\nwant %q", b, want)
	}
}

// TestOpenFiles: without a limit of its own a container has the one that this program was started
// with, not the one that the Go runtime makes of it.
func TestOpenFiles(t *testing.T) {
	cmd := other(t, "limit", rootfs(t))
	cmd.Args = []string{"sh", "-c", "ulimit -Sn 300; ulimit -Hn 3000; exec " + cmd.Path}
	cmd.Path = "/bin/sh"
	b, err := cmd.Output()
	if want := strings.Repeat("300 3000\n", 4); err != nil || string(b) != want {
		t.Errorf("%q %v, want %q", b, err, want)
	}
}

// TestPropagation: mounts of the host reach a container, and the other way round, as the options say.
func TestPropagation(t *testing.T) {
	if err := other(t, "propagation", rootfs(t)).Run(); err != nil {
		t.Error(err)
	}
}
