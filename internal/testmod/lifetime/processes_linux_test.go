package lifetime

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth/internal/testenv"
)

// zombie tells it from /proc/PID/status.
func zombie(status []byte) bool { return bytes.Contains(status, []byte("\nState:\tZ")) }

// guarded ends a process with its stacks on standard error if it takes longer than patience, until the result is called.
func guarded(t *testing.T, what string, p *os.Process) (stop func()) {
	timer := time.AfterFunc(patience, func() {
		t.Errorf("%s: %v", what, p.Pid)
		p.Signal(syscall.SIGQUIT)
	})
	return func() { timer.Stop() }
}

// monitors are the process IDs of the monitors here.
func monitors(t *testing.T) []int {
	t.Helper()
	var pids []int
	for _, s := range testenv.Monitors(t) {
		if pid, err := strconv.Atoi(s); err == nil && alive(pid) == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// members are the processes in the cgroups of containers.
func members(ids []string) []string {
	var pids []string
	for _, id := range ids {
		files, _ := filepath.Glob("/sys/fs/cgroup/*/berth/" + id + "/cgroup.procs")
		own, _ := filepath.Glob("/sys/fs/cgroup/berth/" + id + "/cgroup.procs")
		for _, f := range append(files, own...) {
			data, _ := os.ReadFile(f)
			for pid := range bytes.FieldsSeq(data) {
				pids = append(pids, string(pid))
			}
		}
	}
	return pids
}
