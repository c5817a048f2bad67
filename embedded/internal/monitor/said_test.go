//go:build linux

package monitor

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/berthdev/berth/embedded/internal/nproc"
)

// TestWhy: a process that ends without an answer is asked for its words and its status.
func TestWhy(t *testing.T) {
	const thread = "runtime/cgo: pthread_create failed: Resource temporarily unavailable"
	for script, want := range map[string]string{
		"exit 3":     "its exit status is 3",
		"kill -9 $$": "it was ended by signal 9 (killed)",
		"echo first >&2; echo next >&2; kill -6 $$":  "first",
		"echo '" + thread + "' >&2; kill -6 $$":      thread + " (" + nproc.Hint + ")",
		"head -c 1000000 /dev/zero | tr '\\0' x >&2": strings.Repeat("x", mostSaid),
	} {
		said := newSaid()
		if said == nil {
			t.Fatal("no file in memory")
		}
		defer said.Close()
		cmd := exec.Command("/bin/sh", "-c", script)
		cmd.Stderr = said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		c := &Client{children: []int{cmd.Process.Pid}}
		c.status(cmd.Process.Pid) // as if somebody had reaped it: the words are there still
		if strings.Contains(script, "echo") || strings.Contains(script, "head") {
			if got := c.why(cmd.Process.Pid, said); got != want {
				t.Errorf("%s: %q, want %q", script, got, want)
			}
			continue
		}
		if got := c.why(cmd.Process.Pid, nil); got != "" {
			t.Errorf("a process that is reaped: %q", got)
		}
		if err := cmd.Process.Release(); err != nil {
			t.Fatal(err)
		}
		cmd = exec.Command("/bin/sh", "-c", script)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		c.children = []int{cmd.Process.Pid}
		if got := c.why(cmd.Process.Pid, nil); got != want || len(c.children) != 0 {
			t.Errorf("%s: %q, want %q; children %v", script, got, want, c.children)
		}
	}
}
