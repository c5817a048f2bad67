package faults

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// flow is all streams at once, each on its source.
type flow struct {
	all    []*flowing
	calls  sync.WaitGroup
	resume chan struct{}
}

// flowing is a stream that flows, and what it ended with.
type flowing struct {
	stream
	start func()
	flows chan struct{}
	over  chan struct{} // the call has returned, with err
	err   error
}

// newSources makes a source for each of the streams. Engines hold a lock on the
// container during some of them: these have one of their own, made before any
// stream begins, since Podman then does not answer all questions.
func newSources(t *testing.T, e rig.Engine) []*source {
	t.Helper()
	shared := newSource(t, e)
	var list []*source
	for _, s := range streams {
		if s.locks {
			list = append(list, newSource(t, e))
		} else {
			list = append(list, shared)
		}
	}
	return list
}

// begin starts the streams that pass the filter, on a client with these options,
// and returns when all of them flow.
func begin(t *testing.T, ctx context.Context, sources []*source, filter func(stream) bool, opts ...berth.Option) *flow {
	t.Helper()
	f := &flow{resume: make(chan struct{})}
	for i, st := range streams {
		if !filter(st) {
			continue
		}
		if st.registry && sources[i].e.OurAddr == "" {
			t.Log("without " + st.name + ": BERTH_OUR_ADDR is not set, the engine cannot reach a registry of ours")
			continue
		}
		s := &flowing{stream: st, flows: make(chan struct{}), over: make(chan struct{})}
		ready := sync.OnceFunc(func() { close(s.flows) })
		cli := rig.Connect(t, append(opts, berth.WithTracer(headTracer{st.head, ready}))...)
		s.start = func() {
			defer close(s.over)
			s.err = s.run(ctx, sources[i], cli, ready, f.resume)
		}
		f.all = append(f.all, s)
	}
	for _, locks := range []bool{false, true} { // those that lock last: see newSources
		for _, s := range f.all {
			if s.locks == locks {
				f.calls.Go(s.start)
			}
		}
		for _, s := range f.all {
			if s.locks == locks {
				s.wait(t)
			}
		}
	}
	return f
}

// wait waits until the stream flows.
func (s *flowing) wait(t *testing.T) {
	t.Helper()
	err := within(t, func() error {
		select {
		case <-s.flows:
			return nil
		case <-s.over:
			return s.err
		}
	})
	if err != nil {
		t.Fatalf("%s did not come to flow: %v", s.name, err)
	}
}

// ended lets the callers go on, waits until all calls have returned, and gives
// them.
func (f *flow) ended(t *testing.T) []*flowing {
	t.Helper()
	close(f.resume)
	within(t, func() error { f.calls.Wait(); return nil })
	return f.all
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
