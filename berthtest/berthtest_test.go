package berthtest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/berthtest"
	"github.com/berthdev/berth/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// recorder is a test whose end and fate are the caller's.
type recorder struct {
	testing.TB
	cleanups []func()
	logs     []string
	failed   bool
	skipped  bool
}

// stop ends a recorder's test, as runtime.Goexit would.
type stop struct{}

func (r *recorder) Helper()                   {}
func (r *recorder) Cleanup(f func())          { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Failed() bool              { return r.failed }
func (r *recorder) Logf(s string, a ...any)   { r.logs = append(r.logs, fmt.Sprintf(s, a...)) }
func (r *recorder) Errorf(s string, a ...any) { r.failed = true; r.Logf(s, a...) }
func (r *recorder) Fatalf(s string, a ...any) { r.Errorf(s, a...); panic(stop{}) }
func (r *recorder) Skipf(s string, a ...any)  { r.skipped = true; r.Logf(s, a...); panic(stop{}) }

// run runs f as a test, to its end.
func (r *recorder) run(f func()) {
	defer func() {
		for _, c := range slices.Backward(r.cleanups) {
			c()
		}
		if p := recover(); p != nil && p != (stop{}) {
			panic(p)
		}
	}()
	f()
}

func TestWithoutEngine(t *testing.T) {
	t.Setenv("CONTAINER_HOST", "")
	t.Setenv("DOCKER_HOST", "unix://"+t.TempDir()+"/none.sock")
	t.Setenv(berthtest.RequireVariable, "")
	r := &recorder{TB: t}
	r.run(func() { berthtest.Start(r, berth.Spec{Image: "busybox"}) })
	if !r.skipped || r.failed {
		t.Errorf("skipped %t, failed %t; want a skipped test: %q", r.skipped, r.failed, r.logs)
	}
	t.Setenv(berthtest.RequireVariable, "1")
	r = &recorder{TB: t}
	r.run(func() { berthtest.Start(r, berth.Spec{Image: "busybox"}) })
	if r.skipped || !r.failed {
		t.Errorf("skipped %t, failed %t; want a failed test: %q", r.skipped, r.failed, r.logs)
	}
}

// onEngines runs a test on the real engines of BERTH_ENGINES, "docker28=/path/of/socket …".
func onEngines(t *testing.T, test func(t *testing.T)) {
	list := strings.Fields(os.Getenv("BERTH_ENGINES"))
	if len(list) == 0 {
		t.Skip("no engines: BERTH_ENGINES is not set (see CONTRIBUTING.md)")
	}
	for _, word := range list {
		name, socket, _ := strings.Cut(word, "=")
		t.Run(name, func(t *testing.T) {
			t.Setenv("CONTAINER_HOST", "")
			t.Setenv("DOCKER_HOST", "unix://"+strings.TrimPrefix(socket, "unix://"))
			test(t)
		})
	}
}

func TestStart(t *testing.T) {
	onEngines(t, func(t *testing.T) {
		spec := berth.Spec{Image: "busybox", Command: berth.Shell("echo ready; sleep 600"), Labels: map[string]string{"a": "b"}}
		var c *berth.Container
		r := &recorder{TB: t}
		r.run(func() {
			c = berthtest.Start(r, spec, berth.LogMatches("ready"))
			out, err := c.Command("echo", "hi").Output(t.Context())
			if err != nil || string(out) != "hi\n" {
				t.Errorf("%q, %v", out, err)
			}
			if err := c.Reload(t.Context()); err != nil || c.Labels()["a"] != "b" || c.Labels()[berthtest.TestLabel] != t.Name() || c.Labels()[berthtest.SessionLabel] == "" {
				t.Errorf("labels are %v, %v", c.Labels(), err)
			}
		})
		if r.failed || len(r.logs) > 0 {
			t.Errorf("failed %t: %q", r.failed, r.logs)
		}
		if len(spec.Labels) != 1 {
			t.Errorf("the caller's labels are %v now", spec.Labels)
		}
		gone(t, c)
	})
}

// gone fails when the container is there.
func gone(t *testing.T, c *berth.Container) {
	t.Helper()
	if c == nil {
		t.Fatal("no container was started")
	}
	cli := berthtest.Client(t)
	if ok, err := cli.Containers.Exists(t.Context(), c.ID()); ok || err != nil {
		t.Errorf("the container exists: %t, %v", ok, err)
	}
}

func TestFailedTestShowsTheLog(t *testing.T) {
	onEngines(t, func(t *testing.T) {
		var c *berth.Container
		r := &recorder{TB: t}
		r.run(func() {
			cli := berthtest.Client(r)
			c = berthtest.StartOn(r, cli, berth.Spec{Image: "busybox", Command: berth.Shell("echo the cause; sleep 600")}, berth.LogMatches("cause"))
			r.Fatalf("it went wrong")
		})
		if !slices.Contains(r.logs, "stdout | the cause") {
			t.Errorf("the log is %q", r.logs)
		}
		gone(t, c)
	})
}

func TestStartFailureIsFatal(t *testing.T) {
	onEngines(t, func(t *testing.T) {
		r := &recorder{TB: t}
		r.run(func() {
			berthtest.Start(r, berth.Spec{Image: "busybox", Command: []string{"sh", "-c", "exit 3"}}, berth.LogMatches("never"))
			t.Error("Start has returned")
		})
		if !r.failed {
			t.Error("the test has not failed")
		}
	})
}

func TestRemoveStale(t *testing.T) {
	onEngines(t, func(t *testing.T) {
		cli := berthtest.Client(t)
		var old []*berth.Container
		for _, running := range []bool{false, true} {
			c, err := cli.Containers.Create(t.Context(), berth.Spec{
				Image: "busybox", Command: []string{"sleep", "600"}, Labels: map[string]string{berthtest.SessionLabel: "another"},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Remove(context.Background(), berth.RemoveOptions{Force: true}) })
			if running {
				if err := c.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			old = append(old, c)
		}
		mine := berthtest.StartOn(t, cli, berth.Spec{Image: "busybox", Command: []string{"sleep", "600"}})
		if removed, err := berthtest.RemoveStale(t.Context(), cli, time.Hour); err != nil || slices.ContainsFunc(old, func(c *berth.Container) bool { return slices.Contains(removed, c.ID()) }) {
			t.Errorf("removed what is young: %q, %v", removed, err)
		}
		removed, err := berthtest.RemoveStale(t.Context(), cli, -time.Hour)
		if err != nil {
			t.Error(err)
		}
		for _, c := range old {
			if !slices.Contains(removed, c.ID()) {
				t.Errorf("%v was not removed", c)
			}
			if ok, err := cli.Containers.Exists(t.Context(), c.ID()); ok || err != nil {
				t.Errorf("%v exists: %t, %v", c, ok, err)
			}
		}
		if _, err := mine.Status(t.Context()); err != nil {
			t.Errorf("this test's own container: %v", err)
		}
		if _, err := berthtest.RemoveStale(canceled(t), cli, time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v, want context.Canceled", err)
		}
	})
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
