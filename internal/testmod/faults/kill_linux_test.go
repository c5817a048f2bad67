package faults

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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
	s := newSource(t, e)
	sources := slices.Repeat([]*source{s}, len(streams))
	for i, st := range streams {
		if st.locks {
			sources[i] = newSource(t, e)
		}
	}
	waits := make(chan struct{}) // the Container.Wait among the calls has come to wait; the runs wait too
	var waiting atomic.Int32
	cli := e.Connect(t, berth.WithCleanupTimeout(time.Second), berth.WithTracer(headTracer{"/wait", func() {
		if waiting.Add(1) == 3 {
			close(waits)
		}
	}}))

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	type flowing struct {
		stream
		err error
	}
	var all []*flowing
	var calls, flow sync.WaitGroup
	resume := make(chan struct{})
	for i, st := range streams {
		fl := &flowing{stream: st}
		all = append(all, fl)
		if st.head == "" {
			flow.Add(1)
		}
		ready := func() {}
		if st.head == "" {
			ready = sync.OnceFunc(flow.Done)
		}
		from := sources[i]
		calls.Go(func() {
			fl.err = st.run(ctx, from, cli, ready, resume)
			ready() // if it never came to that
		})
	}
	within(t, func() error { flow.Wait(); <-waits; return nil })

	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rig.Script(t, "up", e.Name) }) // whatever happens
	close(resume)
	within(t, func() error { calls.Wait(); return nil })
	for _, fl := range all {
		t.Logf("%s: %v", fl.name, fl.err)
		if !fl.silent {
			wantLost(t, fl.name, fl.err)
		}
		if _, ok := errors.AsType[*berth.OrphanError](fl.err); ok != strings.HasPrefix(fl.name, "Containers.Run") {
			t.Errorf("%s = %v, an OrphanError: %v", fl.name, fl.err, ok)
		}
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
