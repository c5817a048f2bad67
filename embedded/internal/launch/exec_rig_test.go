//go:build linux

package launch

import (
	"os"
	"testing"
)

// running starts a container that waits until the test ends.
func running(t testing.TB, change func(*Config)) *Process {
	t.Helper()
	cfg := config(t, "sleep 1000", change)
	p, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// inside runs a shell line in a running container.
func inside(t testing.TB, p *Process, line string, change func(*ExecConfig)) (result, error) {
	t.Helper()
	cfg := ExecConfig{Container: p.PID, ContainerPidfd: p.Pidfd, Process: dockerSpec("", "/bin/sh", "-c", line).Process}
	if change != nil {
		change(&cfg)
	}
	return collect(t, func(in, out, err *os.File) (*Process, error) {
		cfg.Stdout, cfg.Stderr = out, err
		return Exec(cfg)
	})
}
