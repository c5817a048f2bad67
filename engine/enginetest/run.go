package enginetest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

// Config says which engine is tested and what is known of it.
type Config struct {
	// Name of the engine in the results: docker20, podman58, embedded.
	Name string
	// New makes a client of the engine. Options are added to those that reach it. Required.
	New func(ctx context.Context, opts ...berth.Option) (*berth.Client, error)
	// Image has busybox's applets in it, sh among them, and PATH in its environment. Required.
	Image string
	// OurAddr is the address under which the engine reaches this machine; "" when it does not.
	OurAddr string
	// Registry is host:port of a registry that both the engine and this process reach, plain HTTP; "" when there is none.
	Registry string
	// Soak runs the soak cases as well.
	Soak bool
	// Results is the directory that <Name>.json is written to; "" writes none.
	Results string
	// Only, when not empty, names the cases to run.
	Only []string
}

// label marks everything that the suite makes; its value is unique to the run.
const label = "dev.berth.enginetest"

// Run runs every case as a parallel subtest, then checks that no container of the run is left.
func Run(t *testing.T, cfg Config) {
	t.Helper()
	ctx := t.Context()
	cli, err := cfg.New(ctx)
	if err != nil {
		t.Fatalf("connect to %s: %v", cfg.Name, err)
	}
	s := &suite{cfg: cfg, cli: cli, run: time.Now().UTC().Format("20060102T150405.000000000"), outcomes: map[string]Outcome{}}
	t.Cleanup(func() {
		s.finish(t)
		if err := cli.Close(); err != nil {
			t.Errorf("close the client: %v", err)
		}
	})
	cases := slices.DeleteFunc(Cases(), func(c Case) bool {
		return c.Soak && !cfg.Soak || len(cfg.Only) > 0 && !slices.Contains(cfg.Only, c.Name)
	})
	for _, serial := range []bool{true, false} {
		t.Run(map[bool]string{true: "serial", false: "parallel"}[serial], func(t *testing.T) {
			for _, c := range cases {
				if c.Serial != serial {
					continue
				}
				t.Run(c.Name, func(t *testing.T) {
					if !serial {
						t.Parallel()
					}
					s.do(t, c)
				})
			}
		})
	}
}

// patience is how long a step of a case may take. It is no limit on the speed of anything: what hangs never ends.
const patience = 3 * time.Minute

// suite is one run over one engine.
type suite struct {
	cfg Config
	cli *berth.Client
	run string // value of label

	mu       sync.Mutex
	outcomes map[string]Outcome
	shared   struct {
		sync.Once
		c   *berth.Container
		err error
	}
	count int // names given out
}

func (s *suite) do(t *testing.T, c Case) {
	// A call that never returns is a failed case, not a hung suite.
	limit := 5 * time.Minute
	if c.Soak {
		limit = 15 * time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	et := &T{T: t, s: s, name: c.Name, ctx: ctx}
	defer func() {
		o := Outcome{Case: c.Name, Result: et.result, Option: et.option, Detail: et.detail}
		switch {
		case t.Failed():
			o.Result = Failed
		case o.Result == "" && t.Skipped():
			// A skip that says nothing of the engine is a hole in the suite.
			o.Result = Failed
			t.Errorf("case %s was skipped without an outcome", c.Name)
		case o.Result == "":
			o.Result = Works
		}
		s.mu.Lock()
		s.outcomes[c.Name] = o
		s.mu.Unlock()
	}()
	defer func() {
		switch r := recover().(type) {
		case nil:
		case mustError:
			et.Check(r.error, "a call that must succeed")
		default:
			panic(r)
		}
	}()
	c.Do(et)
}

// finish removes the shared container, looks for what is left, and writes the results.
func (s *suite) finish(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if c := s.shared.c; c != nil {
		if err := c.Remove(ctx, berth.RemoveOptions{Force: true, Volumes: true}); err != nil {
			t.Errorf("remove the shared container: %v", err)
		}
	}
	left, err := s.cli.Containers.List(ctx, berth.ListOptions{All: true, Filters: berth.Filters{"label": {label + "=" + s.run}}})
	if err != nil {
		t.Errorf("list what is left: %v", err)
	}
	for _, c := range left {
		t.Errorf("container %s was left behind: case %s", c, c.Labels()[label+".case"])
		if err := c.Remove(ctx, berth.RemoveOptions{Force: true, Volumes: true}); err != nil {
			t.Errorf("remove it: %v", err)
		}
	}
	if s.cfg.Results != "" {
		if err := s.write(ctx); err != nil {
			t.Errorf("write results: %v", err)
		}
	}
}
