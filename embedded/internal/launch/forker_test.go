//go:build linux && !berth_nofork

package launch

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// forkerRig is a container with a cgroup that limits processes, and a forker in it.
type forkerRig struct {
	*Forker
	p     *Process
	group string // the cgroup
	cfg   ExecConfig
}

// forkerIn makes both. Where there is no version 1 of cgroups there are no forkers, which is all that can be tested.
func forkerIn(t *testing.T, change func(*Config)) *forkerRig {
	t.Helper()
	r := &forkerRig{group: fmt.Sprintf("/sys/fs/cgroup/pids/berth-test-forker-%d", os.Getpid())}
	if _, err := os.Stat("/sys/fs/cgroup/pids/tasks"); err != nil {
		p := running(t, change)
		if _, err := NewForker(ExecConfig{Container: p.PID, ContainerPidfd: p.Pidfd, Process: dockerSpec("", "true").Process}); !errors.Is(err, ErrForker) {
			t.Errorf("a forker without version 1 of cgroups: %v", err)
		}
		t.SkipNow()
	}
	if err := os.Mkdir(r.group, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 1000 {
			if os.Remove(r.group) == nil {
				return
			}
		}
		t.Errorf("%s is left", r.group)
	})
	tasks := []string{r.group + "/tasks"}
	r.p = running(t, func(c *Config) {
		c.TasksFiles = tasks
		if change != nil {
			change(c)
		}
	})
	r.cfg = ExecConfig{Container: r.p.PID, ContainerPidfd: r.p.Pidfd, TasksFiles: tasks, Process: dockerSpec("", "true").Process}
	r.make(t)
	return r
}

func (r *forkerRig) make(t *testing.T) {
	t.Helper()
	f, err := NewForker(r.cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.Forker = f
	t.Cleanup(f.Close)
}

// inside runs a shell line by way of the forker.
func (r *forkerRig) inside(t *testing.T, line string, change func(*ExecConfig)) (result, error) {
	t.Helper()
	cfg := r.cfg
	cfg.Process = dockerSpec("", "/bin/sh", "-c", line).Process
	if change != nil {
		change(&cfg)
	}
	return collect(t, func(in, out, err *os.File) (*Process, error) {
		cfg.Stdout, cfg.Stderr = out, err
		return r.Exec(cfg)
	})
}

// TestForker: what a forker makes is what Exec makes, and fails as that does.
func TestForker(t *testing.T) {
	r := forkerIn(t, nil)
	const line = `for n in cgroup ipc mnt net pid user uts; do readlink /proc/self/ns/$n; done
grep -E '^(Cap|NoNewPrivs|Seccomp|Groups|Umask|Uid|Gid|Sig[PBIC])' /proc/self/status; cat /proc/self/limits /proc/self/cgroup /proc/self/oom_score_adj; readlink /proc/self/root; pwd; env | sort; cat /proc/self/mountinfo | wc -l
cd /proc/self/fd; for f in *; do echo $f; done; exit 7`
	all, err := Available()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*ExecConfig){
		"as it is":   func(c *ExecConfig) {},
		"with input": func(c *ExecConfig) { c.Stdin, _ = os.Open("/etc/hostname") },
		"as Docker": func(c *ExecConfig) {
			s := dockerSpec("", "true")
			withSeccomp(t, s)
			c.Seccomp = s.Linux.Seccomp
		},
		"privileged": func(c *ExecConfig) {
			c.Process.Capabilities = &specs.LinuxCapabilities{Bounding: all, Effective: all, Permitted: all}
		},
		"user": func(c *ExecConfig) {
			c.Process.User = specs.User{UID: 1000, GID: 1001, AdditionalGids: []uint32{5, 6}, Umask: new(uint32(0o27))}
			c.Process.NoNewPrivileges, c.Process.Cwd, c.MakeCwd = true, "/made/here", true
			c.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 77, Hard: 99}}
		},
		"no command":      func(c *ExecConfig) { c.Process.Args = []string{"/no/such"} },
		"no such command": func(c *ExecConfig) { c.Process.Args = []string{"nosuch"} },
		"a directory":     func(c *ExecConfig) { c.Process.Args = []string{"/bin"} },
		"nowhere":         func(c *ExecConfig) { c.Process.Cwd = "/etc/passwd" },
	} {
		t.Run(name, func(t *testing.T) {
			want, werr := inside(t, r.p, line, func(c *ExecConfig) { c.TasksFiles = r.cfg.TasksFiles; change(c) })
			got, gerr := r.inside(t, line, change)
			if d := cmp.Diff(want, got, cmp.AllowUnexported(result{})); d != "" || werr == nil && got.Code != 7 {
				t.Errorf("(-Exec +forker) %+v:\n%s", got.Status, d)
			}
			if fmt.Sprint(werr) != fmt.Sprint(gerr) || errors.Is(werr, engine.ErrCommandNotFound) != errors.Is(gerr, engine.ErrCommandNotFound) {
				t.Errorf("Exec: %v; forker: %v", werr, gerr)
			}
		})
	}
	cfg := r.cfg
	cfg.Process = dockerSpec("", "/bin/sh", "-c", "tty; exit 3").Process
	cfg.Process.Terminal = true
	p, err := r.Exec(cfg)
	if err != nil {
		t.Fatal(err)
	}
	out, _ := io.ReadAll(p.Console)
	if st, err := p.Wait(); st.Code != 3 || err != nil || !strings.HasPrefix(string(out), "/dev/pts/") {
		t.Errorf("terminal: %q %+v %v", out, st, err)
	}
	p.Console.Close()
	p.Pidfd.Close()
}

// TestForkerManyAtOnce: nothing is mixed up, and nothing is left.
func TestForkerManyAtOnce(t *testing.T) {
	r := forkerIn(t, nil)
	if _, err := r.inside(t, "true", nil); err != nil {
		t.Fatal(err)
	}
	before := openFiles(t, os.Getpid())
	theirs := openFiles(t, r.proc.PID)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 20 {
				want := fmt.Sprintf("%d.%d", n, i)
				got, err := r.inside(t, "echo "+want+"; echo no >&2; exit "+fmt.Sprint(i), nil)
				if err != nil || got.out != want+"\n" || got.err != "no\n" || got.Code != i {
					t.Errorf("%s: %+v %v", want, got, err)
				}
			}
		})
	}
	wg.Wait()
	if now := openFiles(t, os.Getpid()); now != before {
		t.Errorf("%d descriptors are open, %d were", now, before)
	}
	if now := openFiles(t, r.proc.PID); now != theirs || now != 6 {
		t.Errorf("the forker has %d descriptors, it had %d, and needs 6", now, theirs)
	}
	b, err := os.ReadFile("/proc/self/task/" + fmt.Sprint(os.Getpid()) + "/children")
	if err == nil && strings.Count(string(b), " ") > 2 {
		t.Errorf("children are left: %q", b)
	}
}

func openFiles(t *testing.T, pid int) int {
	t.Helper()
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// TestForkerLimit: a forker is not one of the container's processes, but forks within its limit of them.
func TestForkerLimit(t *testing.T) {
	r := forkerIn(t, nil)
	limit := func(n string) {
		t.Helper()
		if err := os.WriteFile(r.group+"/pids.max", []byte(n), 0); err != nil {
			t.Fatal(err)
		}
	}
	current := func() {
		t.Helper()
		if b, err := os.ReadFile(r.group + "/pids.current"); err != nil || string(b) != "1\n" {
			t.Errorf("%q processes are in the cgroup, %v", b, err)
		}
	}
	current()
	limit("3")
	if got, err := r.inside(t, "echo $$", nil); err != nil || got.Code != 0 {
		t.Errorf("%+v %v", got, err)
	}
	current()
	limit("1")
	_, want := inside(t, r.p, "true", func(c *ExecConfig) { c.TasksFiles = r.cfg.TasksFiles })
	if _, err := r.inside(t, "true", nil); !errors.Is(err, unix.EAGAIN) || fmt.Sprint(err) != fmt.Sprint(want) {
		t.Errorf("beyond the limit: %v, and Exec: %v", err, want)
	}
	current()
	limit("max")
	if got, err := r.inside(t, "exit 4", nil); err != nil || got.Code != 4 {
		t.Errorf("%+v %v", got, err)
	}
	current()
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", r.proc.PID)); err != nil || len(b) == 0 {
		t.Error(err)
	}
}

// TestForkerUnseen: a container sees nothing of the forker, and of what it forks no more than of any process that joins.
func TestForkerUnseen(t *testing.T) {
	r := forkerIn(t, nil)
	unseen(t, r.p, func() (result, error) { return r.inside(t, "true", nil) })
	if got, err := r.inside(t, "echo /proc/[0-9]*", nil); err != nil || len(strings.Fields(got.out)) != 2 {
		t.Errorf("the container has the processes %q, %v", got.out, err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.proc.PID))
	if err != nil || !strings.Contains(string(status), "CoreDumping:\t0") {
		t.Errorf("%s %v", status, err)
	}
	var heap, joined []string
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", r.proc.PID))
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(maps)) {
		if strings.Contains(l, "[anon: Go: heap]") {
			heap = append(heap, l)
		}
	}
	if len(heap) > 1 { // its stack may be there
		t.Errorf("it has memory of the heap: %q", heap)
	}
	for _, n := range namespaceNames {
		ours, _ := os.Readlink("/proc/self/ns/" + n)
		its, _ := os.Readlink(filepath.Join("/proc", fmt.Sprint(r.proc.PID), "ns", n))
		if ours != its {
			joined = append(joined, n)
		}
	}
	if want := []string{"cgroup", "ipc", "uts", "net", "mnt"}; !slices.Equal(joined, want) {
		t.Errorf("it is in the container's namespaces %v, not %v", joined, want)
	}
}

// TestForkerEnds: with the container, when it is killed, and when it is closed, nothing is started and nothing left.
func TestForkerEnds(t *testing.T) {
	r := forkerIn(t, nil)
	fails := func(what string) {
		t.Helper()
		if _, err := r.inside(t, "true", nil); !errors.Is(err, ErrForker) {
			t.Errorf("%s: %v", what, err)
		}
		r.Close()
		if _, err := r.inside(t, "true", nil); !errors.Is(err, ErrForker) {
			t.Errorf("%s, closed: %v", what, err)
		}
	}
	if _, err := r.inside(t, ": "+strings.Repeat("x", maxProgram), func(c *ExecConfig) { c.Process.Env = append(c.Process.Env, "A="+strings.Repeat("y", 64<<10)) }); !errors.Is(err, ErrForker) {
		t.Errorf("a program that is too long: %v", err)
	}
	if got, err := r.inside(t, "exit 5", nil); err != nil || got.Code != 5 {
		t.Errorf("%+v %v", got, err)
	}
	unix.PidfdSendSignal(int(r.proc.Pidfd.Fd()), unix.SIGKILL, nil, 0)
	unix.Poll([]unix.PollFd{{Fd: int32(r.proc.Pidfd.Fd()), Events: unix.POLLIN}}, -1)
	fails("killed")
	r.make(t)
	if got, err := r.inside(t, "exit 5", nil); err != nil || got.Code != 5 {
		t.Errorf("another one: %+v %v", got, err)
	}
	unix.PidfdSendSignal(int(r.p.Pidfd.Fd()), unix.SIGKILL, nil, 0)
	if _, err := r.p.Wait(); err != nil {
		t.Fatal(err)
	}
	fails("the container has ended")
	if _, err := NewForker(r.cfg); err == nil {
		t.Error("there is a forker of a container that has ended")
	}
}

// TestForkerRefuses: where somebody could see a forker, or it does not know its way, there is none.
func TestForkerRefuses(t *testing.T) {
	tasks := []string{"/sys/fs/cgroup/pids/tasks"}
	for name, change := range map[string]func(*Config){
		"user namespace": func(c *Config) { withUserNamespace(c.Spec) },
		"host's processes": func(c *Config) {
			c.Spec.Linux.Namespaces = slices.DeleteFunc(c.Spec.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.PIDNamespace })
		},
	} {
		p := running(t, change)
		if _, err := NewForker(ExecConfig{Container: p.PID, ContainerPidfd: p.Pidfd, TasksFiles: tasks, Process: dockerSpec("", "true").Process}); !errors.Is(err, ErrForker) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
