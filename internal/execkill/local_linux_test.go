package execkill

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/berthdev/berth/engine"
)

// fakeProc shows a process as the container's.
func fakeProc(t *testing.T, pid int, cgroup, stat string) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, strconv.Itoa(pid))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"cgroup": cgroup, "stat": stat} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// statLine has the start time 4711 and a name that would mislead a careless reader.
const statLine = "5 (a) S 1 (b)) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 1000 200\n"

// localKiller kills a real process that a fake /proc describes.
func localKiller(t *testing.T, cgroup, stat string) (*killer, *exec.Cmd, *fakeEngine) {
	t.Helper()
	cmd := victim(t, "A=1", "sleep", "1000")
	f := &fakeEngine{identity: engine.Identity{Name: "docker", Local: true}, state: always(cmd.Process.Pid)}
	st, _ := f.state()
	return &killer{e: f, st: st, signal: 10, proc: fakeProc(t, st.PID, cgroup, stat)}, cmd, f
}

const ourCgroup = "1:cpu:/docker/" + containerID + "\n0::/\n"

func TestKillByHostPID(t *testing.T) {
	k, cmd, _ := localKiller(t, ourCgroup, statLine)
	if err := k.kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if sig := endedBy(t, cmd); sig != syscall.SIGUSR1 {
		t.Errorf("ended by %v", sig)
	}
	// It is a zombie's successor at most; the number means nothing any more.
	if start, err := k.process(); err != nil || start != "4711" {
		t.Errorf("start time is %q, %v", start, err)
	}
}

func TestKillByHostPIDRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		cgroup, stat string
		change       func(k *killer, f *fakeEngine)
		want         string
	}{
		"another container's": {strings.ReplaceAll(ourCgroup, "0123", "3210"), statLine, nil, "in no cgroup of container"},
		"no container's":      {"0::/\n", statLine, nil, "in no cgroup of container"},
		"an ID cut short":     {ourCgroup, statLine, func(k *killer, _ *fakeEngine) { k.st.ContainerID = containerID[:12] }, "in no cgroup"},
		"strange stat":        {ourCgroup, "5 (x) S 1", nil, "stat is"},
		"not local":           {ourCgroup, statLine, func(_ *killer, f *fakeEngine) { f.identity.Local = false }, "are not ours"},
		"no process ID":       {ourCgroup, statLine, func(k *killer, _ *fakeEngine) { k.st.PID = 0 }, "does not tell the process ID"},
		"init":                {ourCgroup, statLine, func(k *killer, _ *fakeEngine) { k.st.PID = 1 }, "does not tell the process ID"},
		"no such process":     {ourCgroup, statLine, func(k *killer, _ *fakeEngine) { k.st.PID = 1 << 30 }, "no such file"},
		"another number":      {ourCgroup, statLine, func(k *killer, f *fakeEngine) { f.state = always(k.st.PID + 1) }, "another process ID"},
	} {
		t.Run(name, func(t *testing.T) {
			k, cmd, f := localKiller(t, c.cgroup, c.stat)
			if c.change != nil {
				c.change(k, f)
			}
			err := k.byHostPID(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want %q", err, c.want)
			}
			if err := cmd.Process.Signal(syscall.Signal(0)); err != nil {
				t.Errorf("the process was killed: %v", err)
			}
		})
	}
}

// The number of a process that has ended may be another's by the time of the second look.
func TestKillByHostPIDSeesAnotherProcess(t *testing.T) {
	k, cmd, _ := localKiller(t, ourCgroup, statLine)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if err := k.byHostPID(t.Context()); err == nil || !strings.Contains(err.Error(), "pidfd") {
		t.Errorf("error is %v, want that of pidfd_open", err)
	}
}

// What /proc says of a process of this machine is read the same way.
func TestProcessReadsRealProc(t *testing.T) {
	cmd := victim(t, "A=1", "sleep", "1000")
	text, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	st, _ := always(cmd.Process.Pid)()
	k := &killer{st: st, proc: fakeProc(t, st.PID, ourCgroup, string(text))}
	if got, err := k.process(); err != nil || got != strings.Fields(string(text))[21] {
		t.Errorf("start time is %q, %v in %s", got, err, text)
	}
}
