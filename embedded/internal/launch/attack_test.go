//go:build linux

package launch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// victim is a directory of the host that no container may reach.
func victim(t testing.TB) (dir string, unharmed func()) {
	t.Helper()
	dir = t.TempDir()
	for _, f := range []string{"passwd", "hosts", "sub/file"} {
		write(t, filepath.Join(dir, f), "the host's\n", 0o644)
	}
	before := listing(t, dir)
	return dir, func() {
		t.Helper()
		if d := cmp.Diff(before, listing(t, dir)); d != "" {
			t.Errorf("the host was changed (-before +after):\n%s", d)
		}
		if b, err := os.ReadFile("/proc/self/mountinfo"); err != nil || strings.Contains(string(b), dir) {
			t.Errorf("a mount is left on the host (%v)", err)
		}
	}
}

// listing is every file below dir with its mode and content.
func listing(t testing.TB, dir string) []string {
	t.Helper()
	var l []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		text := ""
		if fi.Mode().IsRegular() {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			text = string(b)
		}
		l = append(l, fmt.Sprint(p, fi.Mode(), text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// link replaces what the image has at a path by a symbolic link.
func link(t testing.TB, root, path, to string) {
	t.Helper()
	p := filepath.Join(root, path)
	if err := os.RemoveAll(p); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, p); err != nil {
		t.Fatal(err)
	}
}

// TestHostileImage starts images whose mount points are links to the host. Either the
// start fails, or the mount is inside of the container; the host stays as it is.
func TestHostileImage(t *testing.T) {
	up := strings.Repeat("../", 30)
	for _, c := range []struct {
		name string
		link string                           // in the image
		to   func(host string) string         // its target
		dest string                           // where a file is bound; "" is nowhere
		fail syscall.Errno                    // how the start fails; 0: it succeeds
		edit func(s *specs.Spec, host string) //
	}{
		{name: "etc absolute", link: "etc", to: func(h string) string { return h }, dest: "/etc/hosts"},
		{name: "etc relative", link: "etc", to: func(h string) string { return up + h }, dest: "/etc/hosts"},
		{name: "etc to the root's parent", link: "etc", to: func(h string) string { return "/.." + h }, dest: "/etc/hosts"},
		{name: "etc/hosts", link: "etc/hosts", to: func(h string) string { return h + "/passwd" }, dest: "/etc/hosts"},
		{name: "directory", link: "data", to: func(h string) string { return h + "/sub" }, dest: "/data/new/deep/file"},
		{name: "loop", link: "data", to: func(string) string { return "data" }, dest: "/data/x", fail: unix.ELOOP},
		{name: "chain", link: "data", to: func(string) string { return "etc/../data/../data" }, dest: "/data", fail: unix.ELOOP},
		{name: "magic link to the root", link: "data", to: func(string) string { return "/proc/self/root" }, dest: "/data/x"},
		{name: "magic link to a descriptor", link: "data", to: func(string) string { return "/proc/self/fd/7" }, dest: "/data/x", fail: anyError},
		{name: "magic link to the working directory", link: "data", to: func(string) string { return "/proc/1/cwd" }, dest: "/data/x"},
		{name: "into proc", link: "data", to: func(string) string { return "/proc/sys/kernel/hostname" }, dest: "/data", fail: unix.EXDEV},
		{name: "proc absolute", link: "proc", to: func(h string) string { return h }, fail: unix.ELOOP},
		{name: "proc relative", link: "proc", to: func(string) string { return "tmp" }, fail: unix.ELOOP},
		{name: "sys", link: "sys", to: func(h string) string { return h }, fail: unix.ELOOP},
		{name: "dev", link: "dev", to: func(h string) string { return h }, fail: unix.ELOOP},
		{name: "proc is a file", link: "proc", to: nil, fail: unix.ENOTDIR},
		{name: "dev without a mount", link: "dev", to: func(h string) string { return h }, fail: unix.ELOOP, edit: func(s *specs.Spec, h string) {
			s.Mounts = s.Mounts[:1]
		}},
		{name: "null is another file", link: "dev/null", to: func(h string) string { return h + "/passwd" }, edit: func(s *specs.Spec, h string) {
			s.Mounts = s.Mounts[:1]
		}},
		{name: "device", link: "opt", to: func(h string) string { return h }, edit: func(s *specs.Spec, h string) {
			s.Linux.Devices = []specs.LinuxDevice{{Path: "/opt/passwd", Type: "c", Major: 1, Minor: 3}}
		}},
		{name: "mask", link: "secret", to: func(h string) string { return h }, edit: func(s *specs.Spec, h string) {
			s.Linux.MaskedPaths = append(s.Linux.MaskedPaths, "/secret", "/secret/passwd")
		}},
		{name: "read-only path", link: "secret", to: func(h string) string { return up + h }, edit: func(s *specs.Spec, h string) {
			s.Linux.ReadonlyPaths = append(s.Linux.ReadonlyPaths, "/secret")
		}},
		{name: "working directory", link: "work", to: func(h string) string { return h }, edit: func(s *specs.Spec, h string) {
			s.Process.Cwd = "/work/new"
		}},
	} {
		for way, o := range map[string]options{"": {}, ", 5.10": {kernel: &kernel{}}} {
			t.Run(c.name+way, func(t *testing.T) {
				host, unharmed := victim(t)
				src := filepath.Join(t.TempDir(), "src")
				write(t, src, "bound\n", 0o644)
				cfg := config(t, "cat "+c.dest, nil)
				cfg.options, cfg.MakeCwd = o, true
				root := cfg.Spec.Root.Path
				if c.to != nil {
					link(t, root, c.link, c.to(host))
				} else {
					os.Remove(filepath.Join(root, c.link))
					write(t, filepath.Join(root, c.link), "", 0o644)
				}
				if c.dest != "" {
					cfg.Spec.Mounts = append(cfg.Spec.Mounts, specs.Mount{Destination: c.dest, Type: "bind", Source: src, Options: []string{"bind"}})
				}
				if c.edit != nil {
					c.edit(cfg.Spec, host)
				}
				r, err := output(t, cfg)
				unharmed()
				switch e, _ := errors.AsType[*Error](err); {
				case c.fail == 0 && err != nil:
					t.Errorf("it does not start: %v", err)
				case c.fail == 0 && c.dest != "" && r.out != "bound\n":
					t.Errorf("the mount is not where it belongs: %q %q", r.out, r.err)
				case c.fail == anyError: // inside of the container, or nowhere
				case c.fail != 0 && (e == nil || e.Errno != c.fail):
					t.Errorf("got %v, want %v", err, c.fail)
				}
			})
		}
	}
}

// TestSharedVolumeRace swaps a directory of a volume for a link to the host, as another
// container of the volume could, while containers mount below it: CVE-2021-30465.
func TestSharedVolumeRace(t *testing.T) {
	busybox(t) // skips before anything runs
	host, unharmed := victim(t)
	vol := t.TempDir()
	for _, d := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(vol, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	link(t, vol, "evil", host)
	link(t, vol, "evil2", strings.Repeat("../", 30)+host)
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; !stop.Load(); i++ {
			evil := []string{"evil", "evil2"}[i%2]
			unix.Renameat2(unix.AT_FDCWD, vol+"/a", unix.AT_FDCWD, vol+"/"+evil, unix.RENAME_EXCHANGE)
		}
	})
	src := t.TempDir()
	write(t, src+"/passwd", "bound\n", 0o644)
	cfg := config(t, "", func(c *Config) {
		c.Spec.Mounts = append(c.Spec.Mounts,
			specs.Mount{Destination: "/vol", Source: vol, Options: []string{"bind"}},
			specs.Mount{Destination: "/vol/a", Source: src, Options: []string{"bind"}},
			specs.Mount{Destination: "/vol/a/new/dir", Type: "tmpfs", Source: "tmpfs"},
			specs.Mount{Destination: "/vol/b/../a/passwd", Source: src + "/passwd", Options: []string{"bind"}},
		)
		c.Spec.Linux.MaskedPaths = append(c.Spec.Linux.MaskedPaths, "/vol/a/passwd")
		c.Spec.Linux.ReadonlyPaths = append(c.Spec.Linux.ReadonlyPaths, "/vol/a")
		c.Spec.Process.Args = []string{"/bin/cat", host + "/passwd"}
	})
	for range 100 {
		if r, err := output(t, cfg); err == nil && strings.Contains(r.out, "the host's") {
			t.Fatal("the container reads the host's file")
		}
	}
	stop.Store(true)
	wg.Wait()
	unharmed()
}

// TestWorkingDirectory: no descriptor leads out, whatever its number: CVE-2024-21626.
func TestWorkingDirectory(t *testing.T) {
	dir, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	p := running(t, nil)
	cfg := config(t, "pwd; ls", nil)
	for fd := range 40 {
		for _, up := range []string{"", "/../../.."} {
			cwd := fmt.Sprintf("/proc/self/fd/%d%s", fd, up)
			cfg.Spec.Process.Cwd = cwd
			r, err := output(t, cfg)
			if err == nil {
				t.Errorf("start in %s: %q", cwd, r.out)
			}
			r, err = inside(t, p, "pwd; ls", func(c *ExecConfig) { c.Process.Cwd = cwd })
			if err == nil {
				t.Errorf("exec in %s: %q", cwd, r.out)
			}
		}
	}
}

// TestDescriptors: a process has the three standard ones, whatever this process has open
// and however careless it was with close-on-exec.
func TestDescriptors(t *testing.T) {
	for _, path := range []string{"/", "/etc/passwd", "/proc"} {
		fd, err := unix.Open(path, unix.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD, 900)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(high)
	}
	const line = "cd /proc/self/fd; for f in *; do echo $f; done"
	for name, o := range map[string]options{"fork": {}, "stage": {reexec: true}, "5.10": {kernel: &kernel{}}} {
		t.Run(name, func(t *testing.T) {
			// The fourth is the shell's own, which reads the directory.
			if r := mustRun(t, line, func(c *Config) { c.options = o }); r.out != "0\n1\n2\n3\n" {
				t.Errorf("start: %q %q", r.out, r.err)
			}
			r, err := inside(t, running(t, func(c *Config) { c.options = o }), line, func(c *ExecConfig) { c.options = o })
			if err != nil || r.out != "0\n1\n2\n3\n" {
				t.Errorf("exec: %q %q %v", r.out, r.err, err)
			}
		})
	}
}

// TestNullDevice: the container's standard input is its own null device: root in the
// container can change that one only.
func TestNullDevice(t *testing.T) {
	mode := func() os.FileMode {
		fi, err := os.Stat("/dev/null")
		if err != nil {
			t.Fatal(err)
		}
		return fi.Mode()
	}
	before := mode()
	mustRun(t, "chmod 700 /dev/stdin", nil)
	p := running(t, nil)
	if r, err := inside(t, p, "chmod 700 /dev/stdin; stat -c %a /dev/null", nil); err != nil || r.out != "700\n" {
		t.Errorf("%q %v", r.out, err)
	}
	if after := mode(); after != before {
		t.Errorf("the host's /dev/null has mode %v now, had %v", after, before)
	}
	for _, replace := range []string{"ln -s /etc/passwd /dev/null", "touch /dev/null", "mknod /dev/null c 1 5", "mkdir /dev/null", "ln -s zero /dev/null"} {
		if r, err := inside(t, p, "rm -rf /dev/null; "+replace, func(c *ExecConfig) { c.Stdin = os.Stdin }); err != nil || r.Code != 0 {
			t.Fatalf("%s: %v %q", replace, err, r.err)
		}
		if _, err := inside(t, p, "true", nil); err == nil {
			t.Errorf("%s: exec takes it for the null device", replace)
		}
	}
}

// TestProgramFile: while processes enter the container, it sees no file of the host as their
// program, nor their descriptors: CVE-2019-5736, CVE-2016-9962.
func TestProgramFile(t *testing.T) {
	p := running(t, nil)
	unseen(t, p, func() (result, error) { return inside(t, p, "true", nil) })
}

// unseen looks about in a container while processes enter it: of each process there it sees what the image has, and pipes.
func unseen(t *testing.T, p *Process, enter func() (result, error)) {
	t.Helper()
	const look = `i=0; while [ $i -lt 300 ]; do i=$((i+1)); for p in /proc/[0-9]*; do readlink $p/exe; readlink $p/cwd; readlink $p/root; for f in 3 4 5 6 7 8 9; do readlink $p/fd/$f; done; cat $p/maps 2>/dev/null | grep launch; done; done | sort -u`
	var seen result
	var wg sync.WaitGroup
	wg.Go(func() { seen, _ = inside(t, p, look, nil) })
	for range 60 {
		if _, err := enter(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	for l := range strings.Lines(seen.out) {
		switch l = strings.TrimSpace(l); {
		case l == "/" || l == "/bin/busybox" || strings.HasPrefix(l, "/proc") || strings.HasPrefix(l, "pipe:"):
		default:
			t.Errorf("the container sees %q", l)
		}
	}
	if seen.out == "" {
		t.Errorf("nothing was looked at: %s", seen.err)
	}
}

// TestInvalid: a path or a setting that cannot be is the caller's mistake.
func TestInvalid(t *testing.T) {
	for what, change := range map[string]func(*Config){
		"a setting that there is not":        func(c *Config) { c.Spec.Linux.Sysctl = map[string]string{"net.nosuch": "1"} },
		"a value that a setting cannot have": func(c *Config) { c.Spec.Linux.Sysctl = map[string]string{"net.ipv4.ip_forward": "much"} },
		"a working directory in a file":      func(c *Config) { c.Spec.Process.Cwd = "/etc/passwd/x" },
	} {
		if _, err := output(t, config(t, "true", change)); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestSysctlOfHost: settings of the host are refused, whatever they are called.
func TestSysctlOfHost(t *testing.T) {
	for _, key := range []string{"kernel.hostname", "kernel.core_pattern", "vm.swappiness", "net.ipv4/../../../kernel.core_pattern", "net/../kernel/core_pattern", "net.//.kernel.core_pattern", "user.max_user_namespaces", "net", ""} {
		_, err := output(t, config(t, "true", func(c *Config) { c.Spec.Linux.Sysctl = map[string]string{key: "1"} }))
		if err == nil {
			t.Errorf("%q is written", key)
		}
	}
}

// TestMountsOnProc: what masks and labels rely on cannot be covered.
func TestMountsOnProc(t *testing.T) {
	dir := t.TempDir()
	for _, m := range []specs.Mount{
		{Destination: "/proc", Source: dir, Options: []string{"bind"}},
		{Destination: "/proc", Type: "tmpfs", Source: "tmpfs"},
		{Destination: "/proc/sys", Source: dir, Options: []string{"bind"}},
		{Destination: "/proc/self/attr", Type: "tmpfs", Source: "tmpfs"},
		{Destination: "/x/../proc/1", Source: dir, Options: []string{"bind"}},
		{Destination: "/", Source: dir, Options: []string{"bind"}},
		{Destination: ".", Source: dir, Options: []string{"bind"}},
	} {
		_, err := output(t, config(t, "true", func(c *Config) { c.Spec.Mounts = append(c.Spec.Mounts, m) }))
		if err == nil {
			t.Errorf("%v is mounted", m)
		}
	}
}
