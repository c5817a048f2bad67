//go:build linux

package launch

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/seccomp"
)

// everything prints what a container can see of its own making. The limit of open files that
// is not given is left out: runc 1.1 gives what the Go runtime makes of it; see TestOpenFiles.
const everything = `
id
grep -E '^(Cap|NoNewPrivs|Seccomp|Groups|Umask|Uid|Gid|Sig[PBIC])' /proc/self/status
grep -v 'open files' /proc/self/limits; cat /proc/self/cgroup /proc/self/oom_score_adj
echo MOUNTS; cat /proc/self/mountinfo; echo END
ls -l /dev /dev/pts /dev/shm /proc/self/ns
ls -l /proc/self/fd | wc -l
pwd; env | sort; hostname; cat /proc/sys/kernel/domainname
cat /proc/self/stat | cut -d' ' -f 4,6,7
readlink /proc/self/root; readlink /proc/1/cwd
`

// same are configurations that runc and this package must make the same container of.
var same = []struct {
	name   string
	change func(t *testing.T, s *specs.Spec)
	line   string // "" is everything
	fails  bool   // it does not start
}{
	{name: "as Docker"},
	{name: "user", change: func(t *testing.T, s *specs.Spec) {
		s.Process.User = specs.User{UID: 1000, GID: 1001, AdditionalGids: []uint32{7, 1001, 2000}, Umask: new(uint32(0o077))}
	}},
	{name: "user with ambient capabilities", change: func(t *testing.T, s *specs.Spec) {
		s.Process.User = specs.User{UID: 1000, GID: 1000}
		two := []string{"CAP_NET_BIND_SERVICE", "CAP_KILL"}
		s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: dockerCaps, Effective: two, Permitted: two, Inheritable: two, Ambient: two}
	}},
	{name: "no capabilities", change: func(t *testing.T, s *specs.Spec) { s.Process.Capabilities = &specs.LinuxCapabilities{} }},
	{name: "capabilities left out", change: func(t *testing.T, s *specs.Spec) { s.Process.Capabilities = nil }},
	{name: "all capabilities", change: func(t *testing.T, s *specs.Spec) {
		all, err := Available()
		if err != nil {
			t.Fatal(err)
		}
		s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: all, Effective: all, Permitted: all}
	}},
	{name: "no new privileges", change: func(t *testing.T, s *specs.Spec) { s.Process.NoNewPrivileges = true }},
	{name: "seccomp", change: withSeccomp},
	{name: "seccomp, user", change: func(t *testing.T, s *specs.Spec) {
		withSeccomp(t, s)
		s.Process.User = specs.User{UID: 1000, GID: 1000}
	}},
	{name: "seccomp, no new privileges, user", change: func(t *testing.T, s *specs.Spec) {
		withSeccomp(t, s)
		s.Process.NoNewPrivileges = true
		s.Process.User = specs.User{UID: 1000, GID: 1000}
	}},
	{name: "limits", change: func(t *testing.T, s *specs.Spec) {
		s.Process.Rlimits = []specs.POSIXRlimit{
			{Type: "RLIMIT_NOFILE", Soft: 100, Hard: 200}, {Type: "RLIMIT_CORE"}, {Type: "RLIMIT_NPROC", Soft: 64, Hard: 64},
			{Type: "RLIMIT_STACK", Soft: 1 << 22, Hard: ^uint64(0)}, {Type: "RLIMIT_MEMLOCK", Soft: 1 << 16, Hard: 1 << 16},
		}
		s.Process.OOMScoreAdj = new(500)
	}, line: everything + "ulimit -n; ulimit -Hn"},
	{name: "read-only root", change: func(t *testing.T, s *specs.Spec) { s.Root.Readonly = true },
		line: everything + "touch /x; echo $?; touch /dev/shm/x /dev/x; echo $?"},
	{name: "no masks", change: func(t *testing.T, s *specs.Spec) {
		s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = nil, nil
	}},
	{name: "own masks", change: func(t *testing.T, s *specs.Spec) {
		s.Linux.MaskedPaths = append(s.Linux.MaskedPaths, "/etc/passwd", "/tmp", "/nothing", "/link")
		s.Linux.ReadonlyPaths = append(s.Linux.ReadonlyPaths, "/root", "/bin/busybox", "/nothing")
		if err := os.Symlink("tmp", filepath.Join(s.Root.Path, "link")); err != nil {
			t.Fatal(err)
		}
	}, line: "cat /etc/passwd; ls -l /tmp /link; touch /root/x; echo $?; touch /tmp/x; echo $?; grep -c . /proc/self/mountinfo"},
	{name: "sysctls", change: func(t *testing.T, s *specs.Spec) {
		s.Linux.Sysctl = map[string]string{
			"net.ipv4.ip_forward": "1", "net.ipv4.ip_unprivileged_port_start": "80", "kernel.shmmax": "123456", "kernel.msgmax": "4096", "fs.mqueue.msg_max": "33", "net/ipv4/tcp_syncookies": "0",
		}
	}, line: "cd /proc/sys; cat net/ipv4/ip_forward net/ipv4/ip_unprivileged_port_start kernel/shmmax kernel/msgmax fs/mqueue/msg_max net/ipv4/tcp_syncookies; echo 0 > net/ipv4/ip_forward; cat net/ipv4/ip_forward"},
	{name: "host's network, ipc, uts", change: func(t *testing.T, s *specs.Spec) {
		s.Hostname = ""
		s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool {
			return n.Type == specs.NetworkNamespace || n.Type == specs.IPCNamespace || n.Type == specs.UTSNamespace
		})
		s.Mounts = slices.DeleteFunc(s.Mounts, func(m specs.Mount) bool { return m.Destination == "/dev/mqueue" })
	}},
	{name: "host's processes", change: func(t *testing.T, s *specs.Spec) {
		s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.PIDNamespace })
	}, line: "readlink /proc/self/ns/pid; grep ^NSpid /proc/self/status | wc -w; cat /proc/1/comm"},
	{name: "devices", change: func(t *testing.T, s *specs.Spec) {
		s.Linux.Devices = []specs.LinuxDevice{
			{Path: "/dev/fuse", Type: "c", Major: 10, Minor: 229, FileMode: new(os.FileMode(0o640)), UID: new(uint32(3)), GID: new(uint32(4))},
			{Path: "/dev/net/tun", Type: "c", Major: 10, Minor: 200},
			{Path: "/dev/loop9", Type: "b", Major: 7, Minor: 9, FileMode: new(os.FileMode(0o600))},
			{Path: "/dev/fifo", Type: "p", FileMode: new(os.FileMode(0o666))},
			{Path: "/opt/dev/zero", Type: "c", Major: 1, Minor: 5, FileMode: new(os.FileMode(0o604))},
			{Path: "/dev/tty", Type: "c", Major: 5, Minor: 0, FileMode: new(os.FileMode(0o600))},
		}
	}, line: everything + "stat -c '%n %F %t:%T %a %u %g' /dev/* /dev/net/tun /opt/dev/zero"},
	{name: "mounts", change: func(t *testing.T, s *specs.Spec) {
		dir := t.TempDir()
		write(t, dir+"/a/file", "a\n", 0o644)
		write(t, dir+"/b/sub/file", "b\n", 0o644)
		s.Mounts = append(s.Mounts,
			specs.Mount{Destination: "/a", Type: "bind", Source: dir + "/a", Options: []string{"rbind", "rprivate"}},
			specs.Mount{Destination: "/missing/dir/a", Type: "bind", Source: dir + "/a", Options: []string{"bind", "ro", "nosuid", "nodev", "noexec", "noatime"}},
			specs.Mount{Destination: "/etc/file", Type: "bind", Source: dir + "/b/sub/file", Options: []string{"bind", "ro"}},
			specs.Mount{Destination: "/slave", Source: dir + "/b", Options: []string{"rbind", "rslave"}},
			specs.Mount{Destination: "/t", Type: "tmpfs", Source: "tmpfs", Options: []string{"size=1m", "mode=1750", "uid=5", "gid=6", "noexec", "nr_inodes=100"}},
			specs.Mount{Destination: "/ro", Type: "tmpfs", Source: "tmpfs", Options: []string{"ro", "nosuid"}},
			specs.Mount{Destination: "/ro/below", Type: "tmpfs", Source: "tmpfs", Options: []string{"nodiratime", "sync"}},
		)
	}, line: everything + "ls -ld /a /a/* /missing/dir/a/* /t /ro/below; cat /etc/file /slave/sub/file; touch /missing/dir/a/x; echo $?; echo >> /etc/file; echo $?; touch /ro/x /ro/below/x; echo $?"},
	{name: "mount points that are links", change: func(t *testing.T, s *specs.Spec) {
		dir := t.TempDir()
		write(t, dir+"/file", "content\n", 0o644)
		for link, to := range map[string]string{
			"data": "srv/real", "abs": "/srv/abs", "up": "../../../../srv/up", "etc/resolv.conf": "../run/resolve/stub.conf", "loop/a": "b",
		} {
			p := filepath.Join(s.Root.Path, link)
			if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(to, p); err != nil {
				t.Fatal(err)
			}
		}
		for _, d := range []string{"/data", "/abs/deep/er", "/up"} {
			s.Mounts = append(s.Mounts, specs.Mount{Destination: d, Source: dir, Options: []string{"bind"}})
		}
		s.Mounts = append(s.Mounts, specs.Mount{Destination: "/etc/resolv.conf", Source: dir + "/file", Options: []string{"bind"}})
	}, line: "find /srv /run; cat /etc/resolv.conf; grep -c . /proc/self/mountinfo; ls -l /etc; ls -l / | grep -v proc"},
	{name: "working directory", change: func(t *testing.T, s *specs.Spec) { s.Process.Cwd = "/tmp" }},
	{name: "host's cgroups", change: func(t *testing.T, s *specs.Spec) {
		s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.CgroupNamespace })
		s.Mounts = slices.DeleteFunc(s.Mounts, func(m specs.Mount) bool { return m.Type == "cgroup" })
	}, line: "readlink /proc/self/ns/cgroup"},
	{name: "shared propagation", change: func(t *testing.T, s *specs.Spec) { s.Linux.RootfsPropagation = "rshared" }},
	{name: "private propagation", change: func(t *testing.T, s *specs.Spec) { s.Linux.RootfsPropagation = "rprivate" }},
	{name: "standard input", line: "cat; echo $?; cat /proc/self/fdinfo/1 | grep flags"},
	{name: "not found", fails: true, change: command("nothing-of-that-name")},
	{name: "not found by path", fails: true, change: command("/bin/nothing")},
	{name: "not executable", fails: true, change: command("/etc/passwd")},
	{name: "a directory", fails: true, change: command("/etc")},
	{name: "below a file", fails: true, change: command("/etc/passwd/x")},
	{name: "signal", line: "kill -9 $$; exit 3"}, // pid 1 ignores it
	{name: "signal of a child", line: "sh -c 'kill -15 $$'; exit $?"},
	{name: "exit code", line: "exit 77"},
}

func withSeccomp(_ *testing.T, s *specs.Spec) {
	p, err := seccomp.Default(dockerCaps)
	if err != nil {
		panic(err)
	}
	s.Linux.Seccomp = p
}

func command(args ...string) func(*testing.T, *specs.Spec) {
	return func(t *testing.T, s *specs.Spec) { s.Process.Args = args }
}

// TestSameAsRunc compares containers of this package, forked and through the re-exec
// stage, and with what a kernel 5.10 has, with those that runc makes of the same config.json.
func TestSameAsRunc(t *testing.T) {
	ways := map[string]options{
		"fork":  {},
		"stage": {reexec: true},
		"5.10":  {kernel: &kernel{}},
	}
	for _, c := range same {
		t.Run(c.name, func(t *testing.T) {
			line := c.line
			if line == "" {
				line = everything
			}
			spec := func() *specs.Spec {
				s := dockerSpec(rootfs(t), "/bin/sh", "-c", line)
				if c.change != nil {
					c.change(t, s)
				}
				return s
			}
			s := spec()
			want := runc(t, s)
			if c.fails != strings.Contains(want.err, "runc run failed") {
				t.Fatalf("runc: %d %q %s", want.Code, want.out, want.err)
			}
			wantText := normal(want.out, s)
			for way, o := range ways {
				s := spec()
				got, err := output(t, Config{Spec: s, options: o})
				if (err != nil) != c.fails {
					t.Errorf("%s: %v; runc: %d %s", way, err, want.Code, want.err)
				}
				if err != nil {
					continue
				}
				if got.Code != want.Code {
					t.Errorf("%s: exit code %d, runc's %d: %s %s", way, got.Code, want.Code, got.err, want.err)
				}
				if d := cmp.Diff(strings.Split(wantText, "\n"), strings.Split(normal(got.out, s), "\n")); d != "" {
					t.Errorf("%s differs from runc (-runc +%s):\n%s\n%s", way, way, d, got.err)
				}
			}
		})
	}
}

// normal takes from an output what must differ: numbers of mounts, devices, pids and namespaces,
// and the order of mounts.
func normal(out string, s *specs.Spec) string {
	out = fileTime.ReplaceAllString(strings.ReplaceAll(out, s.Root.Path, "ROOT"), " TIME ")
	for _, m := range s.Mounts {
		if dir := filepath.Dir(m.Source); strings.HasPrefix(dir, os.TempDir()) {
			out = strings.ReplaceAll(out, dir, "DIR")
		}
	}
	before, rest, ok := strings.Cut(out, "MOUNTS\n")
	mounts, after, _ := strings.Cut(rest, "END\n")
	if !ok {
		return namespaceNumber.ReplaceAllString(out, "[N]")
	}
	var lines []string
	for l := range strings.Lines(mounts) {
		// runc leaves the directory of the cgroup mounts writable, although the configuration says ro.
		l = strings.Replace(l, " / /sys/fs/cgroup rw,", " / /sys/fs/cgroup ro,", 1)
		f := strings.Fields(l)
		f = slices.DeleteFunc(f[3:], func(x string) bool { return strings.HasPrefix(x, "master:") })
		for i, x := range f {
			if strings.HasPrefix(x, "shared:") {
				f[i] = "shared"
			}
		}
		lines = append(lines, strings.Join(f, " "))
	}
	slices.Sort(lines)
	return namespaceNumber.ReplaceAllString(before+strings.Join(lines, "\n")+"\n"+after, "[N]")
}

var (
	namespaceNumber = regexp.MustCompile(`\[\d+\]`)
	fileTime        = regexp.MustCompile(` [A-Z][a-z]{2} [ \d]\d \d\d:\d\d `) // as ls prints it
)
