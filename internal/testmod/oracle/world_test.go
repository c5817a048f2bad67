package oracle

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/testmod/rig"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// world is a library and Berth, connected to the same engine.
type world struct {
	t   *testing.T
	ctx context.Context
	e   rig.Engine
	py  *python
	cli *berth.Client
}

// newWorld connects a library and Berth to the engine that the environment names,
// and skips the test when that is of another kind.
func newWorld(t *testing.T, kind, library string) *world {
	t.Helper()
	e := rig.NeedEngine(t)
	if e.Kind() != kind {
		t.Skipf("%s is for %s, and this is %s", library, kind, e.Name)
	}
	return &world{t: t, ctx: t.Context(), e: e, py: startPython(t, e, library), cli: e.Connect(t)}
}

// newest tells that this is the newest engine of its kind.
func (w *world) newest() bool { return slices.Contains(roots, w.e.Name) }

// sub is the world of a subtest.
func (w *world) sub(t *testing.T) *world {
	s, py := *w, *w.py
	s.t, s.ctx, py.t = t, t.Context(), t
	s.py = &py
	return &s
}

// run is a subtest.
func (w *world) run(name string, test func(w *world)) {
	w.t.Run(name, func(t *testing.T) {
		defer func() {
			switch r := recover().(type) {
			case nil:
			case failure:
				t.Fatal(r.err)
			default:
				panic(r)
			}
		}()
		test(w.sub(t))
	})
}

// failure is what ends a subtest from within an expression.
type failure struct{ err error }

// must is the value of a call that must not fail. It is for functions that world.run runs.
func must[V any](v V, err error) V {
	if err != nil {
		panic(failure{err})
	}
	return v
}

// sleeper is a container that does nothing until it is ended, and ends at once.
func sleeper() berth.Spec {
	s := rig.Spec("sleep", "3600")
	s.StopTimeout = new(time.Duration(0))
	return s
}

func (w *world) start(spec berth.Spec) *berth.Container {
	w.t.Helper()
	return rig.StartSpec(w.t, w.cli, spec)
}

func (w *world) create(spec berth.Spec) *berth.Container {
	w.t.Helper()
	c, err := w.cli.Containers.Create(w.ctx, spec)
	w.must(err)
	w.t.Cleanup(func() { rig.Remove(w.t, w.cli, c.ID()) })
	return c
}

// ended is a container that has run a shell line to its end.
func (w *world) ended(line string) *berth.Container {
	w.t.Helper()
	c := w.start(rig.Spec(berth.Shell(line)...))
	w.over(c)
	return c
}

// over waits for the container's end, and until the engine says the same of it wherever it is asked: its list lags behind on Docker, and
// Podman's own word for it is another one until it has cleaned up.
func (w *world) over(c *berth.Container) {
	w.t.Helper()
	_, err := c.Wait(w.ctx)
	w.must(err)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		w.must(c.Reload(w.ctx))
		list, err := w.cli.Containers.List(w.ctx, berth.ListOptions{All: true, Filters: berth.Filters{"id": {c.ID()}}})
		w.must(err)
		if len(list) == 1 && list[0].Summary().Raw == "exited" && c.Attrs().State.Raw == "exited" {
			return
		}
	}
	w.t.Errorf("%s has ended, and is said to be %q after a minute", c, c.Attrs().State.Raw)
}

func (w *world) network() *berth.Network {
	w.t.Helper()
	n, err := w.cli.Networks.Create(w.ctx, berth.NetworkCreateOptions{Name: rig.Name()})
	w.must(err)
	w.t.Cleanup(func() {
		if err := w.cli.Networks.Remove(context.WithoutCancel(w.ctx), n.ID()); err != nil {
			w.t.Errorf("remove network: %v", err)
		}
	})
	return n
}

func (w *world) volume() string {
	w.t.Helper()
	name := rig.Name()
	_, err := w.cli.Volumes.Create(w.ctx, berth.VolumeCreateOptions{Name: name})
	w.must(err)
	w.removeVolumeLater(name)
	return name
}

func (w *world) removeVolumeLater(name string) {
	w.t.Cleanup(func() {
		if err := w.cli.Volumes.Remove(context.WithoutCancel(w.ctx), name); err != nil {
			w.t.Errorf("remove volume: %v", err)
		}
	})
}

func (w *world) removeImageLater(id string) {
	w.t.Cleanup(func() {
		_, err := w.cli.Images.Remove(context.WithoutCancel(w.ctx), id, berth.ImageRemoveOptions{Force: true})
		if err != nil {
			w.t.Errorf("remove image: %v", err)
		}
	})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func isUnsupported(err error) bool { return errors.Is(err, berth.ErrUnsupported) }
