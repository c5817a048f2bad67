package lifetime

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/berthdev/berth"
)

// TestMany runs containers from many goroutines over one client: exit codes and output are exact, and nothing is left.
func TestMany(t *testing.T) {
	w := newWorld(t)
	before := w.settled(t)
	cli := w.client(t)
	goroutines, each := 8, 2
	if os.Getenv("BERTH_SOAK") == "1" {
		goroutines, each = 64, 8
	}
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range each {
				code := (g + i) % 4
				want := fmt.Sprintf("%d-%d", g, i)
				spec := berth.Spec{Image: image, Command: berth.Shell(fmt.Sprintf("echo %s; seq 2000 >&2; exit %d", want, code))}
				if i%2 == 1 {
					spec.NetworkMode = "none"
				}
				res, err := cli.Containers.Run(t.Context(), spec)
				if wantKind := []string{"ok", "exit"}[min(code, 1)]; kind(err) != wantKind || res == nil {
					t.Errorf("%s: %v", want, err)
					continue
				}
				if res.ExitCode != code || string(res.Stdout) != want+"\n" || strings.Count(string(res.Stderr), "\n") != 2000 || !strings.HasSuffix(string(res.Stderr), "\n2000\n") {
					t.Errorf("%s: code %d, output %q, %d bytes of errors", want, res.ExitCode, res.Stdout, len(res.Stderr))
				}
			}
		})
	}
	wg.Wait()
	w.nothingNew(t, before)
}

// TestFast: a command that ends at once loses none of its output, a few hundred times.
func TestFast(t *testing.T) {
	w := newWorld(t)
	before := w.settled(t)
	cli := w.client(t)
	n := 10
	if os.Getenv("BERTH_SOAK") == "1" {
		n = 300
	}
	for i := range n {
		res, err := cli.Containers.Run(t.Context(), berth.Spec{Image: image, Command: []string{"echo", fmt.Sprint(i)}})
		if err != nil || string(res.Stdout) != fmt.Sprintln(i) {
			t.Errorf("%d: %v, %v", i, res, err)
		}
	}
	w.nothingNew(t, before)
}
