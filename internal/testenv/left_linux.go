package testenv

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// StateDir makes a directory for the state of an engine, which overlay can write
// to. At the test's end it waits for the last monitors, looks for mounts that are
// left, and removes it.
func StateDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/lib", "berth-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		awaitMonitors(t)
		if mounts := mountsBelow(t, dir); len(mounts) > 0 {
			t.Errorf("mounts are left: %v", mounts)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// awaitMonitors waits for the last monitors, which remove the bridges a while
// after their containers have ended. Those that stay are a failure.
func awaitMonitors(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		pids := Monitors(t)
		if len(pids) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("monitors are left: %v", pids)
			return
		}
	}
}

// Monitors are the process IDs of the monitors in this network namespace.
func Monitors(t testing.TB) []string {
	t.Helper()
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	pids, err := monitorsIn(ours)
	if err != nil {
		t.Fatal(err)
	}
	return pids
}

// monitorsIn are those in a network namespace, by the name that /proc gives it.
func monitorsIn(ns string) ([]string, error) {
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var pids []string
	for _, dir := range all {
		args, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || !bytes.HasPrefix(args, []byte("berth-monitor\x00")) {
			continue
		}
		if theirs, err := os.Readlink(filepath.Join(dir, "ns", "net")); err == nil && theirs == ns {
			pids = append(pids, filepath.Base(dir))
		}
	}
	return pids, nil
}

// mountsBelow are the mount points below a directory, in this namespace.
func mountsBelow(t testing.TB, dir string) []string {
	t.Helper()
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], dir+"/") {
			out = append(out, f[4])
		}
	}
	return out
}
