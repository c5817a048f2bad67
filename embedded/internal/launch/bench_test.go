//go:build linux

package launch

import (
	"os"
	"testing"

	"github.com/berthdev/berth/embedded/internal/seccomp"
)

// BenchmarkStart runs /bin/true in a container as Docker's, with a filter and an overlay, to its end.
func BenchmarkStart(b *testing.B) {
	for name, o := range map[string]options{"fork": {}, "stage": {reexec: true}} {
		b.Run(name, func(b *testing.B) {
			cfg := config(b, "", func(c *Config) {
				withSeccomp(nil, c.Spec)
				c.Spec.Process.Args = []string{"/bin/true"}
				c.options = o
				layers(b, c, 3)
			})
			for b.Loop() {
				p, err := Start(cfg)
				if err != nil {
					b.Fatal(err)
				}
				if s, err := p.Wait(); err != nil || s.Code != 0 {
					b.Fatal(s, err)
				}
				p.Pidfd.Close()
			}
		})
	}
}

// BenchmarkExec runs /bin/true in a running container to its end.
func BenchmarkExec(b *testing.B) {
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	var spec ExecConfig
	p := running(b, func(c *Config) { withSeccomp(nil, c.Spec); spec.Seccomp = c.Spec.Linux.Seccomp })
	spec.Container, spec.ContainerPidfd = p.PID, p.Pidfd
	if spec.Filter, err = seccomp.Compile(spec.Seccomp); err != nil {
		b.Fatal(err)
	}
	spec.Process = dockerSpec("", "/bin/true").Process
	spec.Stdin, spec.Stdout, spec.Stderr = null, null, null
	for b.Loop() {
		e, err := Exec(spec)
		if err != nil {
			b.Fatal(err)
		}
		if s, err := e.Wait(); err != nil || s.Code != 0 {
			b.Fatal(s, err)
		}
		e.Pidfd.Close()
	}
}

// BenchmarkForker is BenchmarkExec by way of a forker, where there can be one.
func BenchmarkForker(b *testing.B) {
	var spec ExecConfig
	tasks := []string{"/sys/fs/cgroup/pids/tasks"}
	p := running(b, func(c *Config) { withSeccomp(nil, c.Spec); spec.Seccomp = c.Spec.Linux.Seccomp })
	spec.Container, spec.ContainerPidfd, spec.TasksFiles = p.PID, p.Pidfd, tasks
	var err error
	if spec.Filter, err = seccomp.Compile(spec.Seccomp); err != nil {
		b.Fatal(err)
	}
	spec.Process = dockerSpec("", "/bin/true").Process
	f, err := NewForker(spec)
	if err != nil {
		b.Skip(err)
	}
	defer f.Close()
	b.ReportAllocs()
	for b.Loop() {
		e, err := f.Exec(spec)
		if err != nil {
			b.Fatal(err)
		}
		if s, err := e.Wait(); err != nil || s.Code != 0 {
			b.Fatal(s, err)
		}
		e.Pidfd.Close()
	}
}

// BenchmarkProgram builds and links the program of BenchmarkStart.
func BenchmarkProgram(b *testing.B) {
	cfg := full(b)
	for b.Loop() {
		c := built(b, cfg)
		if _, err := c.link(make([]int, len(c.FDs))); err != nil {
			b.Fatal(err)
		}
	}
}
