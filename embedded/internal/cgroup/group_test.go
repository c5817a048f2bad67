//go:build linux

package cgroup

import (
	"errors"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

// TestMode: this machine has cgroups, and Mode agrees with what is mounted.
func TestMode(t *testing.T) {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	v1, v2 := strings.Contains(string(table), " - cgroup "), strings.Contains(string(table), " - cgroup2 ")
	want := map[[2]bool]Layout{{true, true}: Hybrid, {true, false}: Legacy, {false, true}: Unified}[[2]bool{v1, v2}]
	if got := Mode(); got != want || got == None {
		t.Errorf("mode is %d, want %d", got, want)
	}
}

func TestParseMounts(t *testing.T) {
	for name, c := range map[string]struct {
		table string
		want  []hierarchy
		mode  Layout
	}{
		"nothing": {"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n", nil, None},
		"hybrid": {`31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/x,name=systemd
33 31 0:29 / /mnt/again rw,relatime - cgroup cgroup rw,cpu,cpuacct
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
`, []hierarchy{
			{dir: "/sys/fs/cgroup/cpu,cpuacct", controllers: []string{"cpu", "cpuacct"}},
			{dir: "/sys/fs/cgroup/systemd", controllers: []string{"name=systemd"}},
			{dir: "/sys/fs/cgroup/unified", v2: true},
		}, Hybrid},
		"elsewhere":    {"41 31 0:38 /a /c\\040g rw - cgroup2 none rw\n", []hierarchy{{dir: "/c g", v2: true}}, Unified},
		"another type": {"41 31 0:38 / /c rw - cgroup3 none rw\n", nil, None},
		"cut short":    {"41 31 0:38 - cgroup\n", nil, None},
	} {
		got := parseMounts([]byte(c.table))
		if d := cmp.Diff(c.want, got, cmp.AllowUnexported(hierarchy{})); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if mode := layoutOf(got); mode != c.mode {
			t.Errorf("%s: mode %d", name, mode)
		}
	}
}

// TestJoin: a process that is started as launch starts one is in the group in every hierarchy, and its children too.
func TestJoin(t *testing.T) {
	g := newGroup(t, nil)
	cmd := running(t, g, "sh", "-c", "sleep 1000 & echo ready; wait")
	b, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) < len(g.dirs) {
		t.Fatalf("%d hierarchies of %d in %q", len(lines), len(g.dirs), b)
	}
	for _, line := range lines {
		if strings.HasSuffix(line, ":/") && !v2Alone() && !slices.ContainsFunc(g.dirs, func(d dir) bool {
			return strings.Contains(line, ":"+strings.Join(d.controllers, ",")+":")
		}) {
			continue // a hierarchy that is not mounted
		}
		if !strings.HasSuffix(line, g.path) {
			t.Errorf("not in the group: %s", line)
		}
	}
	pids, err := g.PIDs()
	if err != nil || len(pids) != 2 || !slices.Contains(pids, cmd.Process.Pid) {
		t.Errorf("processes %v of %d: %v", pids, cmd.Process.Pid, err)
	}
	if err := g.Create(nil); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("create it while it has processes: %v", err)
	}
	if pids, err := g.PIDs(); err != nil || len(pids) != 2 {
		t.Errorf("processes after that: %v, %v", pids, err)
	}
}

// TestCreateAgain: what is left over of a group without processes is made anew, with its limits gone.
func TestCreateAgain(t *testing.T) {
	g := newGroup(t, pids(7))
	if got := file(t, g, "pids", "pids.max"); got != "7" {
		t.Errorf("pids.max is %s", got)
	}
	below := g.with("pids").path + "/below"
	if err := os.Mkdir(below, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := g.Create(nil); err != nil {
		t.Fatal(err)
	}
	if got := file(t, g, "pids", "pids.max"); got != "max" {
		t.Errorf("pids.max is %s", got)
	}
}

// TestRemove: with groups in it, and twice.
func TestRemove(t *testing.T) {
	g := newGroup(t, nil)
	for _, d := range g.dirs {
		if err := os.MkdirAll(d.path+"/a/b", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := g.Remove(t.Context()); err != nil {
			t.Error(err)
		}
		if g.Exists() {
			t.Error("it is still there")
		}
	}
	if pids, err := g.PIDs(); err != nil || len(pids) != 0 {
		t.Errorf("processes of a group that is gone: %v, %v", pids, err)
	}
	if err := g.Kill(); err != nil {
		t.Errorf("kill a group that is gone: %v", err)
	}
	if _, err := g.Stats(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("counters of a group that is gone: %v", err)
	}
}

func TestOpen(t *testing.T) {
	for _, p := range []string{"", "/", ".", "a/..", "../.."} {
		if _, err := Open(p, Options{}); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%q: %v", p, err)
		}
	}
	g, err := Open("../../a/b/", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range g.dirs {
		if d.path != d.dir+"/a/b" {
			t.Errorf("the path is %s", d.path)
		}
	}
	for _, f := range g.TasksFiles() {
		if path.Base(f) != "tasks" {
			t.Errorf("a file for tasks: %s", f)
		}
	}
}

func FuzzParsePIDs(f *testing.F) {
	f.Add("1\n22\n333")
	f.Add("")
	f.Add("0\n4194304\n")
	f.Add("99999999999999999999")
	f.Fuzz(func(t *testing.T, s string) {
		pids, err := parsePIDs(nil, s)
		if err != nil {
			return
		}
		for _, pid := range pids {
			if pid <= 0 || !strings.Contains(s, strconv.Itoa(pid)) {
				t.Errorf("%q has the process %d", s, pid)
			}
		}
	})
}

func FuzzParseMounts(f *testing.F) {
	f.Add([]byte("32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"))
	f.Add([]byte("41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, h := range parseMounts(b) {
			if h.v2 && len(h.controllers) != 0 {
				t.Errorf("%+v", h)
			}
		}
	})
}
