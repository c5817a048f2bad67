package faults

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// fault is what happens to streams in the middle.
type fault struct {
	name string
	// do does it, to streams that flow.
	do func(p *rig.Proxy, cancel context.CancelCauseFunc)
	// lives says that the engine can still be reached.
	lives bool
	// check looks at the error of a stream that shows that it was cut.
	check func(t *testing.T, s *flowing)
}

var faultsOfStreams = []fault{
	{"cut", func(p *rig.Proxy, _ context.CancelCauseFunc) { p.Cut() }, true, func(t *testing.T, s *flowing) {
		wantLost(t, s.name, s.err)
		wantOrphan(t, s, false)
	}},
	{"down", func(p *rig.Proxy, _ context.CancelCauseFunc) { p.Down() }, false, func(t *testing.T, s *flowing) {
		wantLost(t, s.name, s.err)
		wantOrphan(t, s, s.runs())
	}},
	{"stalled, then cancelled", func(p *rig.Proxy, cancel context.CancelCauseFunc) {
		p.Stall(true)
		cancel(errCause)
	}, false, func(t *testing.T, s *flowing) {
		if !errors.Is(s.err, context.Canceled) || !errors.Is(s.err, errCause) {
			t.Errorf("%s = %v, want context.Canceled and its cause", s.name, s.err)
		}
		wantOrphan(t, s, s.runs())
	}},
}

// wantOrphan fails the test unless the error says, or does not say, that a
// container was left behind.
func wantOrphan(t *testing.T, s *flowing, want bool) {
	t.Helper()
	orphan, ok := errors.AsType[*berth.OrphanError](s.err)
	if ok != want || ok && orphan.Container == nil {
		t.Errorf("%s = %v, an OrphanError: %v, want %v", s.name, s.err, ok, want)
	}
}

// TestCut: every stream from the real engine is cut in the middle, once with the
// engine still there, once with it gone, and once it stalls and its context ends.
// The error says which, nothing hangs and nothing is left.
func TestCut(t *testing.T) {
	e := rig.NeedEngine(t)
	rig.NoEnvironment(t)
	sources := newSources(t, e)
	for _, f := range faultsOfStreams {
		t.Run(f.name, func(t *testing.T) { cutAll(t, e, sources, f) })
	}
}

// cutAll begins all streams through a proxy, does the fault once they flow, and
// checks what becomes of them.
func cutAll(t *testing.T, e rig.Engine, sources []*source, f fault) {
	leaktest.Check(t)
	p := rig.NewProxy(t, e.Socket)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	patience := 10 * time.Second // for cleaning up
	if !f.lives {
		patience = 300 * time.Millisecond // in vain
	}
	before := sources[0].containers(t)
	fl := begin(t, ctx, sources, func(s stream) bool { return !f.lives || !slices.Contains(s.polls, e.Kind()) },
		berth.WithHost(p.Host()), berth.WithCleanupTimeout(patience))
	f.do(p, cancel)
	for _, s := range fl.ended(t) {
		if !s.silent {
			f.check(t, s)
		}
	}
	p.Cut() // what is stalled must not reach the engine after all
	p.Stall(false)
	for id := range sources[0].containers(t) {
		if before[id] {
			continue
		}
		if f.lives {
			t.Errorf("container %s was left behind", id)
		}
		err := sources[0].with(func(cli *berth.Client) error {
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
	c := rig.Start(t, e.Connect(t), "sleep 1000")
	for _, after := range []int64{1, 100, 1000, 100_000, 200_001} {
		p := rig.NewProxy(t, e.Socket)
		count := &counter{}
		cmd := handle(t.Context(), rig.Connect(t, berth.WithHost(p.Host())), c.ID()).Command("sh", "-c", "usleep 100000; head -c 300000 /dev/zero")
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

// runs says that the stream is a Run, which owns a container.
func (s *stream) runs() bool { return strings.HasPrefix(s.name, "Containers.Run") }
