//go:build linux

package launch

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// TestCommandErrors: what execve says becomes a kind.
func TestCommandErrors(t *testing.T) {
	for _, c := range []struct {
		args []string
		path string
		kind error
		text string
	}{
		{[]string{"nothing"}, "/bin:/sbin", engine.ErrCommandNotFound, `execute "nothing": no such file or directory (not found in PATH)`},
		{[]string{"nothing"}, "", engine.ErrCommandNotFound, ""},
		{[]string{"nothing"}, ":.:bin", engine.ErrCommandNotFound, ""},
		{[]string{"/nothing"}, "/bin", engine.ErrCommandNotFound, `execute "/nothing": no such file or directory`},
		{[]string{"bin/nothing"}, "/bin", engine.ErrCommandNotFound, ""},
		{[]string{"/etc/passwd/x"}, "/bin", engine.ErrCommandNotFound, ""},
		{[]string{"passwd"}, "/nothing:/etc:/bin", engine.ErrCommandNotExecutable, `execute "passwd": permission denied`},
		{[]string{"passwd"}, "/bin:/etc", engine.ErrCommandNotExecutable, ""},
		{[]string{"passwd"}, "/etc", engine.ErrCommandNotExecutable, ""},
		{[]string{"/etc"}, "/bin", engine.ErrCommandNotExecutable, ""},
		{[]string{"/etc/text"}, "/bin", engine.ErrCommandNotExecutable, `execute "/etc/text": exec format error`},
		{[]string{"true"}, "/etc/passwd:/etc:/nothing:/bin", nil, ""},
		{[]string{"script"}, "/etc:/other:/bin", nil, ""}, // not executable in the first, executable in the second
	} {
		_, err := output(t, config(t, "", func(cfg *Config) {
			root := cfg.Spec.Root.Path
			write(t, filepath.Join(root, "etc/text"), "no program\n", 0o755)
			write(t, filepath.Join(root, "etc/script"), "#!/bin/sh\n", 0o644)
			write(t, filepath.Join(root, "other/script"), "#!/bin/sh\n", 0o755)
			cfg.Spec.Process.Args = c.args
			cfg.Spec.Process.Env = []string{"PATH=" + c.path}
		}))
		if !errors.Is(err, c.kind) || c.kind == nil && err != nil {
			t.Errorf("%v with PATH=%s: %v, want %v", c.args, c.path, err, c.kind)
		}
		if c.text != "" && (err == nil || err.Error() != c.text) {
			t.Errorf("%v: %v, want %s", c.args, err, c.text)
		}
	}
}

// TestStepErrors: an error names the step, with the kernel's words.
func TestStepErrors(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(c *Config)
	}{
		{"file system", "mount nosuchfs on /x: no such device", func(c *Config) {
			c.Spec.Mounts = append(c.Spec.Mounts, specs.Mount{Destination: "/x", Type: "nosuchfs", Source: "x"})
		}},
		{"option", "mount tmpfs on /x: invalid argument (tmpfs: Unknown parameter 'nonsense')", func(c *Config) {
			c.Spec.Mounts = append(c.Spec.Mounts, specs.Mount{Destination: "/x", Type: "tmpfs", Source: "x", Options: []string{"nonsense=1"}})
		}},
		{"source", "mount /no/such/source on /x: no such file or directory", func(c *Config) {
			c.Spec.Mounts = append(c.Spec.Mounts, specs.Mount{Destination: "/x", Source: "/no/such/source", Options: []string{"bind"}})
		}},
		{"file on a directory", "mount /etc/passwd on /tmp: is a directory", func(c *Config) {
			c.Spec.Mounts = append(c.Spec.Mounts, specs.Mount{Destination: "/tmp", Source: "/etc/passwd", Options: []string{"bind"}})
		}},
		{"directory on a file", "mount /etc on /etc/passwd: not a directory", func(c *Config) {
			c.Spec.Mounts = append(c.Spec.Mounts, specs.Mount{Destination: "/etc/passwd", Source: "/etc", Options: []string{"bind"}})
		}},
		{"root", "open the root /no/such/root: no such file or directory", func(c *Config) { c.Spec.Root.Path = "/no/such/root" }},
		{"namespace", "open namespace /no/such/ns: no such file or directory", func(c *Config) {
			c.Spec.Linux.Namespaces[1].Path = "/no/such/ns"
		}},
		{"another namespace", "join the namespace /proc/self/ns/uts: invalid argument", func(c *Config) {
			c.Spec.Linux.Namespaces[1].Path = "/proc/self/ns/uts"
		}},
		{"working directory", "enter the working directory /no/such: no such file or directory", func(c *Config) { c.Spec.Process.Cwd = "/no/such" }},
		{"cgroup", "open /no/such/tasks: no such file or directory", func(c *Config) { c.TasksFiles = []string{"/no/such/tasks"} }},
		{"limit", "set RLIMIT_NOFILE: invalid argument", func(c *Config) {
			c.Spec.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 2, Hard: 1}}
		}},
		{"prepared", "no network", func(c *Config) {
			c.Prepared = func(int, *os.File) error { return errors.New("no network") }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := output(t, config(t, "true", c.change))
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestAppArmor: the profile of start and exec, by the first one that the kernel has loaded;
// without AppArmor, an error.
func TestAppArmor(t *testing.T) {
	b, err := os.ReadFile("/sys/kernel/security/apparmor/profiles")
	if os.IsNotExist(err) {
		_, err := output(t, config(t, "true", func(c *Config) { c.Spec.Process.ApparmorProfile = "p" }))
		if want := "set the AppArmor profile p: no such file or directory (this kernel has no AppArmor)"; err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		mustRun(t, "true", func(c *Config) { c.Spec.Process.ApparmorProfile = "unconfined" })
		return
	}
	profile, want := "unconfined", "unconfined\n"
	if name, _, ok := strings.Cut(string(b), " ("); ok {
		profile, want = name, strings.SplitAfter(string(b), "\n")[0]
	}
	for way, change := range map[string]func(*Config){
		"fork":           func(c *Config) {},
		"stage":          func(c *Config) { c.options.reexec = true },
		"user namespace": func(c *Config) { withUserNamespace(c.Spec) },
	} {
		var o options
		apply := func(c *Config) {
			c.Spec.Process.ApparmorProfile = profile
			change(c)
			o = c.options
		}
		const line = "cat /proc/self/attr/apparmor/current"
		if r := mustRun(t, line, apply); r.out != want {
			t.Errorf("%s: start: %q %q, want %q", way, r.out, r.err, want)
		}
		r, err := inside(t, running(t, change), line, func(c *ExecConfig) { c.Process.ApparmorProfile, c.options = profile, o })
		if err != nil || r.out != want {
			t.Errorf("%s: exec: %q %q %v, want %q", way, r.out, r.err, err, want)
		}
	}
}

// TestRefusals: what is asked for and not done is an error that names the option.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(s *specs.Spec)
	}{
		{"mount option", func(s *specs.Spec) { s.Mounts[0].Options = []string{"idmap"} }},
		{"copy up", func(s *specs.Spec) { s.Mounts[1].Options = append(s.Mounts[1].Options, "tmpcopyup") }},
		{"time namespace", func(s *specs.Spec) {
			s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.TimeNamespace})
		}},
		{"twice", func(s *specs.Spec) { s.Linux.Namespaces = append(s.Linux.Namespaces, s.Linux.Namespaces[0]) }},
		{"no mount namespace", func(s *specs.Spec) { s.Linux.Namespaces = s.Linux.Namespaces[1:] }},
		{"SELinux", func(s *specs.Spec) { s.Process.SelinuxLabel = "x" }},
		{"hooks", func(s *specs.Spec) { s.Hooks = &specs.Hooks{StartContainer: []specs.Hook{{Path: "/x"}}} }},
		{"capability", func(s *specs.Spec) { s.Process.Capabilities.Bounding = []string{"CAP_NONSENSE"} }},
		{"limit", func(s *specs.Spec) { s.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_X"}} }},
		{"no command", func(s *specs.Spec) { s.Process.Args = nil }},
		{"relative working directory", func(s *specs.Spec) { s.Process.Cwd = "tmp" }},
		{"host name of the host", func(s *specs.Spec) {
			s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.UTSNamespace })
		}},
		{"personality", func(s *specs.Spec) { s.Linux.Personality = &specs.LinuxPersonality{Domain: "X"} }},
		{"device", func(s *specs.Spec) { s.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/x", Type: "q"}} }},
		{"user namespace without maps", func(s *specs.Spec) {
			s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
		}},
		{"scheduler", func(s *specs.Spec) { s.Process.Scheduler = &specs.Scheduler{} }},
		{"seccomp agent", func(s *specs.Spec) {
			s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, ListenerPath: "/x"}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := output(t, config(t, "true", func(cfg *Config) { c.change(cfg.Spec) }))
			if !errors.Is(err, engine.ErrUnsupported) && !errors.Is(err, engine.ErrInvalid) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestPrepared runs while the namespaces exist and the command does not.
func TestPrepared(t *testing.T) {
	for name, o := range map[string]options{"fork": {}, "stage": {reexec: true}} {
		var pid int
		r := mustRun(t, "readlink /proc/self/ns/net; cat /proc/sys/net/ipv4/ip_forward", func(c *Config) {
			c.options = o
			c.Prepared = func(p int, pidfd *os.File) error {
				pid = p
				ours, _ := os.Readlink("/proc/self/ns/net")
				theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", p))
				if err != nil || ours == theirs {
					t.Errorf("%s: network namespace %s, ours %s: %v", name, theirs, ours, err)
				}
				return err
			}
		})
		if pid == 0 || r.Code != 0 {
			t.Errorf("%s: pid %d, %v", name, pid, r)
		}
	}
}

// TestWait: exit codes and signals; pid 1 ignores what it does not handle, but for KILL.
func TestWait(t *testing.T) {
	p := running(t, nil)
	if err := unix.Kill(p.PID, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if start, err := StartTime(p.PID); err != nil || start != p.StartTime || start == 0 {
		t.Errorf("start time %d, want %d: %v", p.StartTime, start, err)
	}
	if r, err := inside(t, p, "exit 9", nil); err != nil || r.Code != 9 {
		t.Errorf("it did not outlive SIGTERM: %v %v", r, err)
	}
	done := make(chan Status, 2)
	for range 2 {
		go func() { s, _ := p.Wait(); done <- s }()
	}
	unix.Kill(p.PID, unix.SIGKILL)
	for range 2 {
		if s := <-done; s != (Status{Code: 137, Signal: 9}) {
			t.Errorf("status %+v", s)
		}
	}
	if _, err := inside(t, p, "true", nil); !errors.Is(err, engine.ErrNotRunning) {
		t.Errorf("exec in an ended container: %v", err)
	}
	r := mustRun(t, `trap 'exit 33' TERM; kill -TERM $$; sleep 1`, nil)
	if r.Code != 33 {
		t.Errorf("a handled signal: %v", r)
	}
}

// TestTerminal: a terminal of the container's own devpts, with a size, controlling, and at
// /dev/console; for start and exec, as root and as a user.
func TestTerminal(t *testing.T) {
	const line = "tty; stty size; ls -l /dev/console /dev/pts; echo x > /dev/tty; id -u; stat -c %u $(tty); ps -o pid,tty | head -2; exit 4"
	change := func(uid uint32) func(*specs.Process) {
		return func(p *specs.Process) {
			p.Terminal, p.ConsoleSize, p.User.UID = true, &specs.Box{Height: 43, Width: 132}, uid
		}
	}
	check := func(t *testing.T, what string, uid int, p *Process, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		b, _ := io.ReadAll(p.Console)
		s, _ := p.Wait()
		p.Console.Close()
		p.Pidfd.Close()
		for _, want := range []string{"/dev/pts/", "43 132", "\r\nx\r\n", fmt.Sprintf("\r\n%d\r\n%d\r\n", uid, uid)} {
			if !strings.Contains(string(b), want) {
				t.Errorf("%s: %q lacks %q", what, b, want)
			}
		}
		if s.Code != 4 {
			t.Errorf("%s: %+v", what, s)
		}
	}
	for name, o := range map[string]options{"fork": {}, "stage": {reexec: true}, "5.10": {kernel: &kernel{}}} {
		for _, uid := range []uint32{0, 1000} {
			cfg := config(t, line, func(c *Config) { c.options = o; change(uid)(c.Spec.Process) })
			p, err := Start(cfg)
			check(t, "start, "+name, int(uid), p, err)
			c := running(t, nil)
			e := ExecConfig{Container: c.PID, ContainerPidfd: c.Pidfd, Process: cfg.Spec.Process, options: o}
			p, err = Exec(e)
			check(t, "exec, "+name, int(uid), p, err)
		}
	}
	// The container replaces its devpts: it does not get to choose what is opened.
	all, err := Available()
	if err != nil {
		t.Fatal(err)
	}
	c := running(t, nil)
	if r, err := inside(t, c, "mount -t tmpfs x /dev/pts && touch /dev/pts/ptmx", func(c *ExecConfig) {
		c.Process.Capabilities = &specs.LinuxCapabilities{Bounding: all, Effective: all, Permitted: all}
	}); err != nil || r.Code != 0 {
		t.Fatal(err, r)
	}
	e := ExecConfig{Container: c.PID, Process: dockerSpec("", "true").Process}
	e.Process.Terminal = true
	if _, err := Exec(e); err == nil || !strings.Contains(err.Error(), "not a devpts") {
		t.Errorf("a terminal of a replaced devpts: %v", err)
	}
}

// TestPersonality: runc 1.1 does not know it.
func TestPersonality(t *testing.T) {
	r := mustRun(t, "uname -m", func(c *Config) {
		c.Spec.Linux.Personality = &specs.LinuxPersonality{Domain: specs.PerLinux32}
	})
	if want := map[string]string{"amd64": "i686\n", "arm64": "armv8l\n"}[runtime.GOARCH]; r.out != want {
		t.Errorf("uname -m is %q", r.out)
	}
}

// TestMakeCwd creates a working directory through the image's links, inside.
func TestMakeCwd(t *testing.T) {
	r := mustRun(t, "pwd -P; stat -c %a:%u .", func(c *Config) {
		link(t, c.Spec.Root.Path, "app", "/srv/there")
		c.Spec.Process.Cwd, c.MakeCwd = "/app/x/y", true
		c.Spec.Process.User.UID = 1000
	})
	if r.out != "/srv/there/x/y\n755:0\n" {
		t.Errorf("%q %q", r.out, r.err)
	}
}

// TestStandardStreams are reachable for a user through /dev/stdout.
func TestStandardStreams(t *testing.T) {
	r := mustRun(t, "echo out > /dev/stdout; echo err > /dev/stderr", func(c *Config) { c.Spec.Process.User.UID = 1000 })
	if r.out != "out\n" || r.err != "err\n" {
		t.Errorf("%q %q", r.out, r.err)
	}
	in, w := pipe(t)
	w.WriteString("typed\n")
	w.Close()
	r, err := inside(t, running(t, nil), "cat", func(c *ExecConfig) { c.Stdin = in })
	if err != nil || r.out != "typed\n" {
		t.Errorf("%q %v", r.out, err)
	}
	in.Close()
}

// TestNothingIsLeft: no descriptor, thread, mount, or child, after many starts and many failures.
func TestNothingIsLeft(t *testing.T) {
	count := func(path string) int {
		l, err := os.ReadDir(path)
		if err != nil {
			t.Fatal(err)
		}
		return len(l)
	}
	mounts := func() int {
		b, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(b), t.Name())
	}
	good := config(t, "true", nil)
	bad := config(t, "true", func(c *Config) { c.Spec.Process.Args = []string{"nothing"} })
	early := config(t, "true", func(c *Config) {
		c.Spec.Mounts = append(c.Spec.Mounts, specs.Mount{Destination: "/x", Type: "nosuchfs"})
	})
	p := running(t, nil)
	round := func(n int) {
		for range n {
			if _, err := output(t, good); err != nil {
				t.Fatal(err)
			}
			if _, err := inside(t, p, "true", nil); err != nil {
				t.Fatal(err)
			}
			for _, c := range []Config{bad, early} {
				if _, err := output(t, c); err == nil {
					t.Fatal("it started")
				}
			}
		}
	}
	round(2)
	fds, threads := count("/proc/self/fd"), count("/proc/self/task")
	round(100)
	if n := count("/proc/self/fd"); n > fds {
		t.Errorf("%d descriptors, had %d", n, fds)
	}
	if n := count("/proc/self/task"); n > threads+8 {
		t.Errorf("%d threads, had %d", n, threads)
	}
	if n := mounts(); n != 0 {
		t.Errorf("%d mounts are left", n)
	}
	p.kill()
	var ws syscall.WaitStatus
	if pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil); err != syscall.ECHILD {
		t.Errorf("a child is left: %d %v", pid, err)
	}
}
