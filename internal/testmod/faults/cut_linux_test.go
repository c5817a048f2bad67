package faults

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// fault is what happens to a stream in the middle.
type fault struct {
	name string
	// do does it, to a stream that flows.
	do func(p *rig.Proxy, cancel context.CancelCauseFunc)
	// check looks at the error of the call.
	check func(t *testing.T, s stream, err error)
}

var faultsOfStreams = []fault{
	{"cut", func(p *rig.Proxy, _ context.CancelCauseFunc) { p.Cut() }, func(t *testing.T, s stream, err error) {
		if !s.silent {
			wantLost(t, s.name, err)
		}
	}},
	{"down", func(p *rig.Proxy, _ context.CancelCauseFunc) { p.Down() }, func(t *testing.T, s stream, err error) {
		if s.silent {
			return
		}
		wantLost(t, s.name, err)
		if orphan, ok := errors.AsType[*berth.OrphanError](err); ok != strings.HasPrefix(s.name, "Containers.Run") || ok && orphan.Container == nil {
			t.Errorf("%s = %v, an OrphanError: %v", s.name, err, ok)
		}
	}},
	{"stalled, then cancelled", func(p *rig.Proxy, cancel context.CancelCauseFunc) {
		p.Stall(true)
		cancel(errCause)
	}, func(t *testing.T, s stream, err error) {
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errCause) {
			t.Errorf("%s = %v, want context.Canceled and its cause", s.name, err)
		}
	}},
}

// TestCut: every stream from the real engine is cut in the middle, once with the
// engine still there, once with it gone, and once it stalls and its context ends.
// The error says which, nothing hangs and nothing is left.
func TestCut(t *testing.T) {
	e := rig.NeedEngine(t)
	rig.NoEnvironment(t)
	s := newSource(t, e)
	for _, f := range faultsOfStreams {
		t.Run(f.name, func(t *testing.T) {
			for _, st := range streams {
				if slices.Contains(st.polls, e.Kind()) && f.name == "cut" {
					continue
				}
				t.Run(st.name, func(t *testing.T) { cutStream(t, s, st, f) })
			}
		})
	}
}

// cutStream begins a stream through a proxy, does the fault when it flows, and
// checks what becomes of it.
func cutStream(t *testing.T, s *source, st stream, f fault) {
	leaktest.Check(t)
	p := rig.NewProxy(t, s.e.Socket)
	flows, resume := make(chan struct{}), make(chan struct{})
	ready := sync.OnceFunc(func() { close(flows) })
	patience := 10 * time.Second // for cleaning up
	if f.name != "cut" {
		patience = 300 * time.Millisecond // the engine does not answer any more
	}
	cli := rig.Connect(t, berth.WithHost(p.Host()), berth.WithCleanupTimeout(patience), berth.WithTracer(headTracer{st.head, ready}))
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	resumed := sync.OnceFunc(func() { close(resume) })
	defer resumed()
	before := s.containers(t)
	go func() {
		select {
		case <-flows:
			f.do(p, cancel)
		case <-ctx.Done():
		}
		resumed()
	}()
	err := within(t, func() error { return st.run(ctx, s, cli, ready, resume) })
	select {
	case <-flows:
	default:
		if errors.Is(err, berth.ErrUnsupported) {
			t.Logf("%v", err)
			return
		}
		if err == errNoRegistry {
			t.Skip(err)
		}
		t.Fatalf("%s did not come to flow: %v", st.name, err)
	}
	f.check(t, st, err)
	p.Cut() // what is stalled must not reach the engine after all
	p.Stall(false)
	cleanUp(t, s, before, st, f, err)
}

// headTracer calls ready when the answer to a request with this end of its path
// has begun.
type headTracer struct {
	path  string
	ready func()
}

func (h headTracer) Start(ctx context.Context, _, path string) (context.Context, func(int, error)) {
	return ctx, func(status int, _ error) {
		if h.path != "" && strings.HasSuffix(path, h.path) && status != 0 {
			h.ready()
		}
	}
}

// cleanUp checks that a run has removed its container where it could, and removes
// it where it could not.
func cleanUp(t *testing.T, s *source, before map[string]bool, st stream, f fault, failure error) {
	t.Helper()
	if !strings.HasPrefix(st.name, "Containers.Run") {
		return
	}
	for id := range s.containers(t) {
		if before[id] {
			continue
		}
		if f.name == "cut" {
			t.Errorf("%s left container %s behind: %v", st.name, id, failure)
		}
		err := s.with(func(cli *berth.Client) error {
			return cli.Containers.Remove(t.Context(), id, berth.RemoveOptions{Force: true, Volumes: true})
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// containers are the IDs of the tests' containers.
func (s *source) containers(t *testing.T) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	err := s.with(func(cli *berth.Client) error {
		list, err := cli.Containers.List(t.Context(), berth.ListOptions{All: true, Filters: berth.Filters{"name": {"berth-test-"}}})
		for _, c := range list {
			ids[c.ID()] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// TestCutInside: output of an exec that is cut after any number of bytes, though
// the process has come to its end, is an error: as a rule io.ErrUnexpectedEOF.
func TestCutInside(t *testing.T) {
	e := rig.NeedEngine(t)
	leaktest.Check(t)
	rig.NoEnvironment(t)
	s := newSource(t, e)
	for _, after := range []int64{1, 100, 1000, 100_000, 200_001} {
		p := rig.NewProxy(t, e.Socket)
		cli := rig.Connect(t, berth.WithHost(p.Host()))
		c := handle(t.Context(), cli, s.id)
		count := &counter{}
		cmd := c.Command("sh", "-c", "usleep 100000; head -c 300000 /dev/zero")
		cmd.Stdout = count
		if err := cmd.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.CutAfter(after)
		err := within(t, cmd.Wait)
		if !isLost(err) || count.n >= 300_000 {
			t.Errorf("exec cut after %d bytes = %v with %d bytes of output", after, err, count.n)
		}
	}
}

type counter struct{ n int }

func (c *counter) Write(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}
