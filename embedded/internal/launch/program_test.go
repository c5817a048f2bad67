//go:build linux

package launch

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// full is a configuration that uses everything.
func full(t testing.TB) Config {
	cfg := config(t, "true", func(c *Config) {
		withSeccomp(nil, c.Spec)
		dir := t.TempDir()
		write(t, dir+"/f", "", 0o644)
		c.Spec.Mounts = append(c.Spec.Mounts,
			specs.Mount{Destination: "/etc/hosts", Source: dir + "/f", Options: []string{"bind", "ro"}},
			specs.Mount{Destination: "/data", Source: dir, Options: []string{"rbind", "rprivate", "nosuid"}},
			specs.Mount{Destination: "/run", Type: "tmpfs", Source: "tmpfs", Options: []string{"ro", "size=1m"}},
		)
		c.Spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/net/tun", Type: "c", Major: 10, Minor: 200}, {Path: "/opt/null", Type: "c", Major: 1, Minor: 3}}
		c.Spec.Linux.Sysctl = map[string]string{"net.ipv4.ip_forward": "1"}
		c.Spec.Root.Readonly = true
		c.Spec.Process.Args = []string{"true"}
		c.Spec.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_CORE"}}
		c.Spec.Process.User = specs.User{UID: 1000, GID: 1000}
		c.MakeCwd = true
		layers(t, c, 3)
	})
	return cfg
}

// built builds a program without opening anything.
func built(t testing.TB, cfg Config) *builder {
	t.Helper()
	h := newHost(cfg.options)
	h.dry = true
	c, err := prepare(&cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	return c.b
}

// TestOrder holds what doc.go says of the order of a start, for every variant of it.
func TestOrder(t *testing.T) {
	tty := full(t)
	tty.Spec.Process.Terminal = true
	joined := full(t)
	joined.Spec.Linux.Namespaces[3].Path = "/proc/1/ns/pid"
	userns := full(t)
	withUserNamespace(userns.Spec)
	noDev := full(t)
	noDev.Spec.Mounts = noDev.Spec.Mounts[:1]
	shared := full(t)
	shared.Spec.Linux.RootfsPropagation = "rshared"
	old := full(t)
	old.options.kernel = &kernel{}
	nnp := full(t)
	nnp.Spec.Process.NoNewPrivileges = true
	for name, cfg := range map[string]Config{"full": full(t), "terminal": tty, "join": joined, "user namespace": userns, "no dev": noDev, "shared": shared, "5.10": old, "no new privileges": nnp} {
		t.Run(name, func(t *testing.T) {
			b := built(t, cfg)
			first := func(op string, args ...string) int {
				t.Helper()
				i := slices.IndexFunc(b.Steps, func(s *step) bool { return s.Op == op && b.has(s, args...) })
				if i < 0 {
					t.Fatalf("there is no %s %v", op, args)
				}
				return i
			}
			last := func(op string) int {
				n := -1
				for i, s := range b.Steps {
					if s.Op == op {
						n = i
					}
				}
				return n
			}
			gone := first("umount2", `"."`)
			before := func(what string, a, b int) {
				t.Helper()
				if a >= b {
					t.Errorf("%s: step %d is not before %d", what, a, b)
				}
			}
			before("the root is entered before the host's is unmounted", first("pivot_root"), gone)
			if gone-first("pivot_root") != 1 {
				t.Errorf("something comes between pivot_root and the unmount")
			}
			for i, s := range b.Steps {
				path := ""
				for _, a := range s.Args {
					if a.Kind == isMem && b.Mems[a.N].Text {
						path = string(b.Mems[a.N].Data[:len(b.Mems[a.N].Data)-1])
						break
					}
				}
				relative := len(s.Args) > 0 && s.Args[0] == atCWD
				switch s.Op {
				case opWalk:
					before("no path of the image is resolved before: "+s.Name, gone, i)
				case "openat", "open_tree":
					if i > gone && relative {
						t.Errorf("step %d, %s, resolves %q after the root is entered", i, s.Name, path)
					}
				case "mount":
					if i > gone && path != "" {
						t.Errorf("step %d, %s, mounts by path", i, s.Name)
					}
				case "move_mount":
					// To the descriptor that the walker found, or to a name in a file system made here.
					if to := b.text(s.Args[3]); i > gone && (strings.HasPrefix(to, "/") || strings.Contains(to, "..") || s.Args[2] == atCWD) {
						t.Errorf("step %d, %s, attaches to the path %q", i, s.Name, to)
					}
				case "mknodat", "mkdirat", "symlinkat":
					if s.Args[0] == atCWD {
						t.Errorf("step %d, %s, makes something by path", i, s.Name)
					}
				case "chdir":
					if i > gone && path != "/" {
						before("descriptors are closed before the working directory is entered", last(opClose), i)
					}
				}
			}
			exec := first("execve")
			before("descriptors are closed after the last mount", last("move_mount"), last(opClose))
			before("masks come after mounts of the configuration", first("move_mount"), last("move_mount"))
			before("capabilities are bounded before the user", last("prctl")-1, exec)
			before("the user comes before the filter", last("setresuid"), first("seccomp"))
			before("the parent is looked at after the last change of ids", last("setresuid"), first("ppoll"))
			if cfg.Spec.Process.NoNewPrivileges {
				if first("seccomp")+1 != exec {
					t.Errorf("with no_new_privs the filter is not the last step before execve")
				}
			}
			if name == "join" {
				before("nobody can look in when the namespace is joined", first("prctl", "4"), first("setns"))
			}
		})
	}
}

// has says that the printed arguments of a step start with args.
func (b *builder) has(s *step, args ...string) bool {
	for i, a := range args {
		if i >= len(s.Args) || b.show(s.Args[i]) != a {
			return false
		}
	}
	return true
}

func (b *builder) text(v val) string {
	if v.Kind != isMem || !b.Mems[v.N].Text {
		return ""
	}
	return strings.TrimSuffix(string(b.Mems[v.N].Data), "\x00")
}

// TestProgram: the printed program is the same every time, names every step, and opens nothing.
func TestProgram(t *testing.T) {
	cfg := full(t)
	fds := func() int {
		l, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(l)
	}
	n := fds()
	one, err := Program(cfg)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Program(cfg)
	if err != nil || one != two {
		t.Errorf("it differs: %v %s", err, cmp.Diff(one, two))
	}
	if fds() != n {
		t.Errorf("descriptors are left open")
	}
	for _, want := range []string{"pivot_root(\".\", \".\")", "mount proc on /proc", `execve("/usr/sbin/true", ["true"]`, "mask /proc/kcore", "<the pipe from the parent>"} {
		if !strings.Contains(one, want) {
			t.Errorf("%q is not in\n%s", want, one)
		}
	}
	// Program of a configuration for another machine: its paths need not exist.
	cfg.Spec.Mounts = append(cfg.Spec.Mounts, specs.Mount{Destination: "/x", Source: "/no/such/source", Options: []string{"bind"}})
	cfg.TasksFiles = []string{"/no/such/tasks"}
	if _, err := Program(cfg); err != nil {
		t.Error(err)
	}
}

// TestTransport: a program survives being sent to the re-exec stage, and links to the same.
func TestTransport(t *testing.T) {
	cfg := full(t)
	cfg.Spec.Process.Env = append(cfg.Spec.Process.Env, "BYTES=\xff\xfe\x01 \u00e9")
	b := built(t, cfg)
	text, err := json.Marshal(b.program)
	if err != nil {
		t.Fatal(err)
	}
	p := newProgram()
	if err := json.Unmarshal(text, p); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(b.program.String(), p.String()); d != "" {
		t.Error(d)
	}
	var fds []int
	for i := range p.FDs {
		fds = append(fds, 3+i)
	}
	m1, err1 := b.link(fds)
	m2, err2 := p.link(fds)
	if err1 != nil || err2 != nil || len(m1.arena) != len(m2.arena) || len(m1.ops) != len(m2.ops) {
		t.Errorf("they link to different machines: %v %v", err1, err2)
	}
}

// TestWalker resolves in a root made for it, against the kernel's own openat2 with RESOLVE_IN_ROOT.
func TestWalker(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "a/b/file"), "", 0o644)
	for l, to := range map[string]string{
		"abs": "/a/b", "rel": "a/b", "a/up": "../a/b/file", "a/b/out": "../../../../../a", "loop": "loop", "dangling": "/no/where", "a/dot": ".", "slash": "//a///b//", "rootlink": "/", "chain": "rel/../up", "empty": "a/./b/.././b",
	} {
		link(t, root, l, to)
	}
	// The root of a mount, which ".." does not leave, as the container's.
	fd, err := unix.OpenTree(unix.AT_FDCWD, root, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for _, p := range []string{
		"/", "", ".", "/a", "a/b/file", "/a/b/file/", "/a/b/file/x", "abs/file", "rel/file", "a/up", "a/b/out/b", "loop", "dangling", "a/dot/dot/dot/b", "slash/file", "rootlink/rootlink/a", "chain", "empty/file", "nothing", "/a/nothing/x", "a//b///file", "a/./b/./file", strings.Repeat("a/dot/../", 200) + "a/b",
	} {
		got, e := walkPath(fd, p, 0)
		clean := strings.TrimRight(p, "/")
		if clean == "" {
			clean = "."
		}
		want, err := unix.Openat2(fd, clean, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
		if (e != 0) != (err != nil) || e != 0 && e != err {
			t.Errorf("%q: %v, openat2 says %v", p, e, err)
		}
		if e == 0 && err == nil {
			a, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(got))
			b, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(want))
			if a != b {
				t.Errorf("%q is %s, openat2 says %s", p, a, b)
			}
		}
		if e == 0 {
			unix.Close(got)
		}
		if err == nil {
			unix.Close(want)
		}
	}
}

// walkPath does a walk in this process.
func walkPath(root int, path string, flags uintptr) (int, syscall.Errno) {
	m := &machine{arena: append([]byte(path), 0), walk: new(walker)}
	m.a = [6]uintptr{uintptr(root), 0, flags}
	m.walk.resolve(m)
	return int(m.r), m.e
}

// FuzzWalker: no path and no link makes the walker leave its root or its memory.
func FuzzWalker(f *testing.F) {
	f.Add("a/b", "../..", uint8(0))
	f.Add("x/y/z", "/x/./y", uint8(1))
	f.Add(strings.Repeat("a/", 2000), "a", uint8(2))
	f.Fuzz(func(t *testing.T, path, to string, flags uint8) {
		if strings.Contains(path, "\x00") || strings.Contains(to, "\x00") || to == "" || len(path) > 8000 || len(to) > 4000 {
			return
		}
		dir := t.TempDir()
		root := filepath.Join(dir, "root")
		if err := os.Mkdir(root, 0o755); err != nil {
			t.Fatal(err)
		}
		os.Symlink(to, filepath.Join(root, "a"))
		fd, err := unix.OpenTree(unix.AT_FDCWD, root, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		got, e := walkPath(fd, path, uintptr(flags)&(walkMkdir|walkMkfile|walkStrict))
		if e == 0 {
			unix.Close(got)
		}
		l, err := os.ReadDir(dir)
		if err != nil || len(l) != 1 {
			t.Errorf("%q with a -> %q wrote outside: %v %v", path, to, l, err)
		}
	})
}
