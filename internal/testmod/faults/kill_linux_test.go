package faults

import (
	"errors"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// TestKilledEngine kills the real engine under all that streams: each call says
// that the engine was lost, and the client goes on once the engine is there again.
func TestKilledEngine(t *testing.T) {
	if os.Getenv("BERTH_MAY_KILL") != "1" {
		t.Skip("BERTH_MAY_KILL is not 1 (scripts/test kill NAME sets it)")
	}
	e := rig.NeedEngine(t)
	if ok, why := e.Owned(t); !ok {
		t.Skip("only engines of scripts/engines are killed: ", why)
	}
	text, err := rig.Script(t, "pid", e.Name)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(text)
	if err != nil || pid <= 1 {
		t.Fatalf("process ID of the engine: %q, %v", text, err)
	}
	rig.NoEnvironment(t)
	leaktest.Check(t)
	sources := newSources(t, e)
	cli := e.Connect(t)
	f := begin(t, t.Context(), sources, func(stream) bool { return true }, berth.WithHost(e.Host), berth.WithCleanupTimeout(time.Second))

	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rig.Script(t, "up", e.Name) }) // whatever happens
	for _, s := range f.ended(t) {
		if !s.silent {
			wantLost(t, s.name, s.err)
		}
		wantOrphan(t, s, s.runs())
	}
	if err := cli.Ping(t.Context()); !errors.Is(err, berth.ErrUnavailable) {
		t.Errorf("Ping of the killed engine = %v", err)
	}

	for _, command := range []string{"down", "up"} {
		if _, err := rig.Script(t, command, e.Name); err != nil {
			t.Fatal(err)
		}
	}
	if err := cli.Ping(t.Context()); err != nil {
		t.Errorf("Ping of the new engine = %v", err)
	}
	if res, err := cli.Containers.Run(t.Context(), rig.Spec("echo", "hi")); err != nil || string(res.Stdout) != "hi\n" {
		t.Errorf("Run on the new engine = %+v, %v", res, err)
	}
}
