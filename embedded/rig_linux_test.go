package embedded

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/testenv"
)

func TestMain(m *testing.M) {
	if os.Getenv("BERTH_EMBEDDED") != "" {
		if code, done := testenv.Isolate(); done {
			os.Exit(code)
		}
	}
	os.Exit(m.Run())
}

// image1 is the one that the rig's engine has.
const image1 = "docker.io/library/busybox:latest"

// rig is an engine with an image, on a state directory of its own.
type rig struct {
	*Engine
	t   *testing.T
	dir string
}

// newRig makes one. Tests that start containers need root and a static busybox:
// they run where BERTH_EMBEDDED is set.
func newRig(t *testing.T) *rig {
	t.Helper()
	if os.Getenv("BERTH_EMBEDDED") == "" {
		t.Skip("BERTH_EMBEDDED is not set: containers are started in .ci/run, with busybox-static and runc installed")
	}
	r := &rig{t: t, dir: testenv.StateDir(t)}
	r.Engine = r.open()
	if _, err := r.ImageImport(t.Context(), testenv.Busybox(t), engine.ImportOptions{Reference: image1, Changes: []string{"ENV PATH=/bin", "VOLUME /vol"}}); err != nil {
		t.Fatal(err)
	}
	return r
}

// open opens a further engine on the same directory, as another program would.
func (r *rig) open(opts ...Option) *Engine {
	r.t.Helper()
	e, err := Open(r.t.Context(), append([]Option{WithRoot(filepath.Join(r.dir, "root")), WithRunRoot(filepath.Join(r.dir, "run"))}, opts...)...)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if err := e.Close(); err != nil {
			r.t.Error(err)
		}
	})
	return e.(*guard).e.(*Engine)
}

// check ends the test when err is not nil.
func (r *rig) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// create makes a container without a network, removed with the test.
func (r *rig) create(spec engine.Spec, command ...string) string {
	r.t.Helper()
	spec.Image, spec.Command = image1, command
	if spec.NetworkMode == "" && len(spec.Networks) == 0 {
		spec.NetworkMode = "none"
	}
	res, err := r.ContainerCreate(r.t.Context(), &spec, engine.CreateOptions{})
	r.check(err)
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err := r.ContainerRemove(ctx, res.ID, engine.RemoveOptions{Force: true, Volumes: true})
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			r.t.Errorf("remove: %v", err)
		}
	})
	return res.ID
}

// start makes a container and starts it.
func (r *rig) start(spec engine.Spec, command ...string) string {
	r.t.Helper()
	id := r.create(spec, command...)
	r.check(r.ContainerStart(r.t.Context(), id, engine.StartOptions{}))
	return id
}

// ended waits for a container's end and returns its exit code.
func (r *rig) ended(id string) int {
	r.t.Helper()
	w, err := r.ContainerWait(r.t.Context(), id, engine.WaitNotRunning)
	r.check(err)
	defer w.Close()
	exit, err := w.Wait()
	r.check(err)
	return exit.Code
}

// status is what inspect says.
func (r *rig) status(id string) engine.State {
	r.t.Helper()
	a, err := r.ContainerInspect(r.t.Context(), id, engine.InspectOptions{})
	r.check(err)
	return a.State
}

// want fails the test when err is not of the kind.
func (r *rig) want(what string, err, kind error) {
	r.t.Helper()
	if !errors.Is(err, kind) {
		r.t.Errorf("%s: got %v, want %v", what, err, kind)
	}
}
