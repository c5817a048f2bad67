//go:build linux

package launch

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

var namespaceFiles = []string{"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"}

// spacesOf are the namespaces of a process, by file.
func spacesOf(t testing.TB, pid any) map[string]string {
	t.Helper()
	m := map[string]string{}
	for _, f := range namespaceFiles {
		l, err := os.Readlink(fmt.Sprintf("/proc/%v/ns/%s", pid, f))
		if err != nil {
			t.Fatal(err)
		}
		m[f] = l
	}
	return m
}

// TestJoin starts containers in namespaces of another one, as "container:" modes do.
func TestJoin(t *testing.T) {
	first := running(t, nil)
	types := map[string]specs.LinuxNamespaceType{
		"net": specs.NetworkNamespace, "ipc": specs.IPCNamespace, "uts": specs.UTSNamespace, "pid": specs.PIDNamespace, "cgroup": specs.CgroupNamespace,
	}
	theirs, ours := spacesOf(t, first.PID), spacesOf(t, "self")
	for _, list := range [][]string{{"net"}, {"ipc", "uts"}, {"pid"}, {"net", "ipc", "uts", "pid", "cgroup"}} {
		for name, o := range map[string]options{"fork": {}, "stage": {reexec: true}} {
			p := running(t, func(c *Config) {
				c.options = o
				if slices.Contains(list, "uts") {
					c.Spec.Hostname = ""
				}
				for _, file := range list {
					i := slices.IndexFunc(c.Spec.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == types[file] })
					c.Spec.Linux.Namespaces[i].Path = fmt.Sprintf("/proc/%d/ns/%s", first.PID, file)
				}
			})
			got := spacesOf(t, p.PID)
			for _, f := range namespaceFiles {
				same := got[f] == theirs[f]
				if f == "user" {
					continue
				}
				if want := slices.Contains(list, f); same != want || got[f] == ours[f] {
					t.Errorf("%v, %s: %s is %s; the first container's %s, ours %s", list, name, f, got[f], theirs[f], ours[f])
				}
			}
			p.kill()
		}
	}
}

// TestExecSame: a process that joins is as the first one is: namespaces, cgroups, capabilities,
// filter, limits.
func TestExecSame(t *testing.T) {
	const line = `for n in cgroup ipc mnt net pid user uts; do readlink /proc/self/ns/$n; done
grep -E '^(Cap|NoNewPrivs|Seccomp|Groups|Umask|Uid|Gid|Sig[PBIC])' /proc/self/status; cat /proc/self/limits /proc/self/cgroup /proc/self/oom_score_adj; readlink /proc/self/root; pwd; env | sort; cat /proc/self/mountinfo | wc -l; echo END`
	for _, c := range []struct {
		name   string
		change func(s *specs.Spec)
	}{
		{"as Docker", func(s *specs.Spec) { withSeccomp(t, s) }},
		{"user, limits", func(s *specs.Spec) {
			withSeccomp(t, s)
			s.Process.User = specs.User{UID: 1000, GID: 1001, AdditionalGids: []uint32{5, 6}, Umask: new(uint32(0o27))}
			s.Process.NoNewPrivileges = true
			s.Process.Cwd = "/tmp"
			s.Process.OOMScoreAdj = new(300)
			s.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 77, Hard: 99}}
		}},
		{"host's network and processes", func(s *specs.Spec) {
			s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool {
				return n.Type == specs.NetworkNamespace || n.Type == specs.PIDNamespace
			})
			s.Mounts = slices.DeleteFunc(s.Mounts, func(m specs.Mount) bool { return m.Destination == "/sys" || m.Destination == "/sys/fs/cgroup" })
		}},
		{"user namespace", withUserNamespace},
	} {
		for name, o := range map[string]options{"fork": {}, "stage": {reexec: true}} {
			t.Run(c.name+", "+name, func(t *testing.T) {
				// The first process prints what it is on demand: exec cannot change it.
				cfg := config(t, line+"\nsleep 1000", nil)
				c.change(cfg.Spec)
				cfg.options = o
				r, w := pipe(t)
				cfg.Stdout = w
				p, err := Start(cfg)
				w.Close()
				if err != nil {
					t.Fatal(err)
				}
				defer p.kill()
				var want strings.Builder
				buf := make([]byte, 1<<16)
				for !strings.HasSuffix(want.String(), "END\n") {
					n, err := r.Read(buf)
					if err != nil {
						t.Fatal(err)
					}
					want.Write(buf[:n])
				}
				got, err := inside(t, p, line, func(e *ExecConfig) {
					*e.Process = *cfg.Spec.Process
					e.Process.Args = []string{"/bin/sh", "-c", line}
					e.Seccomp, e.options = cfg.Spec.Linux.Seccomp, o
				})
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(strings.Split(want.String(), "\n"), strings.Split(got.out, "\n")); d != "" {
					t.Errorf("exec differs from start (-start +exec):\n%s\n%s", d, got.err)
				}
			})
		}
	}
}

// withUserNamespace maps root to an ordinary user.
func withUserNamespace(s *specs.Spec) {
	s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
	s.Linux.UIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 65536}}
	s.Linux.GIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: 200000, Size: 65536}}
	s.Process.OOMScoreAdj = new(100)
	if s.Root.Path != "" {
		filepath.Walk(s.Root.Path, func(p string, fi os.FileInfo, err error) error { return os.Lchown(p, 100000, 200000) })
	}
}

// TestUserNamespace: root of the container is an ordinary user of the host, devices are bound,
// sources that only the host's root can reach are mounted.
func TestUserNamespace(t *testing.T) {
	secret := t.TempDir()
	write(t, secret+"/d/file", "bound\n", 0o644)
	os.Chmod(secret, 0o700)
	const line = "id -u; cat /proc/self/uid_map | tr -s ' '; grep CapEff /proc/self/status; echo x > /dev/null; ls -l /dev/zero | cut -c1-10; mknod /tmp/n c 1 3 2>/dev/null || echo no nodes; cat /mnt/file; touch /made; stat -c %u /made; grep -c ' / /dev/' /proc/self/mountinfo; grep ^Seccomp: /proc/self/status; cat /proc/self/oom_score_adj; hostname changed; hostname; ls /proc/acpi | wc -l"
	for name, o := range map[string]options{"fork": {}, "stage": {reexec: true}, "5.10": {kernel: &kernel{}}} {
		for _, overlay := range []bool{false, true} {
			t.Run(fmt.Sprint(name, overlay), func(t *testing.T) {
				var upper string
				r := mustRun(t, line, func(c *Config) {
					c.options = o
					withUserNamespace(c.Spec)
					withSeccomp(t, c.Spec)
					c.Spec.Process.Capabilities.Effective = append(slices.Clone(dockerCaps), "CAP_SYS_ADMIN")
					c.Spec.Process.Capabilities.Permitted = c.Spec.Process.Capabilities.Effective
					c.Spec.Process.Capabilities.Bounding = c.Spec.Process.Capabilities.Effective
					c.Spec.Mounts = append(c.Spec.Mounts, specs.Mount{Destination: "/mnt", Source: secret + "/d", Options: []string{"bind", "ro"}})
					if overlay {
						layers(t, c, 1)
						upper = c.Overlay.Upper
						for d := filepath.Dir(upper); d != os.TempDir(); d = filepath.Dir(d) {
							os.Chmod(d, 0o711)
						}
						for _, d := range []string{c.Overlay.Upper, c.Overlay.Work} {
							os.Chown(d, 100000, 200000)
						}
					}
				})
				want := "0\n 0 100000 65536\nCapEff:\t00000000a82425fb\ncrw-rw-rw-\nno nodes\nbound\n0\n"
				if !strings.HasPrefix(r.out, want) || r.Code != 0 {
					t.Errorf("%q %q, want %q", r.out, r.err, want)
				}
				if upper != "" {
					var st unix.Stat_t
					if err := unix.Stat(upper+"/made", &st); err != nil || st.Uid != 100000 || st.Gid != 200000 {
						t.Errorf("the file is %d:%d on the host: %v", st.Uid, st.Gid, err)
					}
				}
			})
		}
	}
}

// TestUserNamespaceJoin: a container with a user namespace in the network namespace of the host's root.
func TestUserNamespaceJoin(t *testing.T) {
	first := running(t, nil)
	for name, o := range map[string]options{"fork": {}, "stage": {reexec: true}} {
		p := running(t, func(c *Config) {
			c.options = o
			withUserNamespace(c.Spec)
			i := slices.IndexFunc(c.Spec.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.NetworkNamespace })
			c.Spec.Linux.Namespaces[i].Path = fmt.Sprintf("/proc/%d/ns/net", first.PID)
			c.Spec.Mounts = slices.DeleteFunc(c.Spec.Mounts, func(m specs.Mount) bool { return strings.HasPrefix(m.Destination, "/sys") })
		})
		if got, want := spacesOf(t, p.PID), spacesOf(t, first.PID); got["net"] != want["net"] || got["user"] == want["user"] {
			t.Errorf("%s: %v, the first container's %v", name, got, want)
		}
		r, err := inside(t, p, "id -u; hostname", func(c *ExecConfig) { c.options, c.UserNS = o, true })
		if err != nil || r.out != "0\nbox\n" {
			t.Errorf("%s: exec: %q %q %v", name, r.out, r.err, err)
		}
		p.kill()
	}
}

// TestCgroups: the process is in its cgroups before it runs, in every way of getting there.
func TestCgroups(t *testing.T) {
	v1 := "/sys/fs/cgroup/pids"
	v2 := "/sys/fs/cgroup/unified"
	if _, err := os.Stat(v2); err != nil {
		v2 = "/sys/fs/cgroup"
	}
	name := fmt.Sprintf("berth-test-launch-%d", os.Getpid())
	make := func(dir string) string {
		d := filepath.Join(dir, name)
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			for range 1000 {
				if os.Remove(d) == nil {
					return
				}
			}
			t.Errorf("%s is left", d)
		})
		return d
	}
	fd, err := os.Open(make(v2))
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()
	var tasks []string
	want := []string{"0::/" + name}
	if _, err := os.Stat(v1); err == nil {
		tasks = []string{filepath.Join(make(v1), "tasks")}
		want = append(want, "pids:/"+name)
	}
	for way, o := range map[string]options{"fork": {}, "stage": {reexec: true}, "clone": {kernel: &kernel{mountSetattr: true}}} {
		p := running(t, func(c *Config) { c.options, c.TasksFiles, c.CgroupFD = o, tasks, int(fd.Fd()) })
		x := ExecConfig{Container: p.PID, Process: dockerSpec("", "sleep", "1000").Process, TasksFiles: tasks, CgroupFD: int(fd.Fd()), options: o}
		x.Stdin, _ = os.Open("/dev/null")
		e, err := Exec(x)
		if err != nil {
			t.Fatal(err)
		}
		for what, pid := range map[string]int{"start": p.PID, "exec": e.PID} {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range want {
				if !strings.Contains(string(b), w) {
					t.Errorf("%s, %s: %q is not in\n%s", way, what, w, b)
				}
			}
		}
		// The cgroup namespace has been made there.
		r, err := inside(t, p, "cat /proc/1/cgroup", nil)
		if err != nil || strings.Contains(r.out, name) {
			t.Errorf("%s: the container sees %q %v", way, r.out, err)
		}
		e.kill()
		p.kill()
		x.Stdin.Close()
	}
}

// TestCgroupMounts: without a cgroup namespace the container sees its own cgroup only, and
// cannot write to it: CVE-2023-25809.
func TestCgroupMounts(t *testing.T) {
	for name, o := range map[string]options{"now": {}, "5.10": {kernel: &kernel{}}} {
		r := mustRun(t, "cd /sys/fs/cgroup; touch x; for d in . */; do [ -d $d ] || continue; mkdir $d/x; echo 0 > $d/tasks; done; grep -c ' /sys/fs/cgroup.* ro,' /proc/self/mountinfo", func(c *Config) {
			c.options = o
			c.Spec.Linux.Namespaces = slices.DeleteFunc(c.Spec.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.CgroupNamespace })
		})
		if n := strings.Count(r.err, "Read-only file system"); n < 1 || n != strings.Count(r.err, "\n") {
			t.Errorf("%s: it could write: %q", name, r.err)
		}
		if strings.TrimSpace(r.out) == "0" {
			t.Errorf("%s: no mount is read-only", name)
		}
	}
}
