//go:build linux

package launch

import (
	"os"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// running starts a container that waits until the test ends.
func running(t testing.TB, change func(*Config)) *Process {
	t.Helper()
	cfg := config(t, "", change)
	if cfg.Spec.Process.Args[0] == "/bin/sh" {
		cfg.Spec.Process.Args = []string{"sleep", "1000"}
	}
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
		cfg.Stdin, cfg.Stdout, cfg.Stderr = in, out, err
		return Exec(cfg)
	})
}

func TestExec(t *testing.T) {
	p := running(t, nil)
	r, err := inside(t, p, "id; hostname; ls -l /proc/self/fd; ps; cat /proc/self/cgroup; exit 5", nil)
	t.Log(r.out, r.err, r.Status, err)
	_ = specs.Version
}
