package embedded

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/embedded"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/testenv"
)

// image is that of all containers here that do not bring one.
const image = "docker.io/library/busybox:latest"

func TestMain(m *testing.M) {
	if os.Getenv("BERTH_EMBEDDED") != "1" {
		os.Exit(m.Run())
	}
	if code, done := testenv.Isolate(); done {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// world is a state directory of the embedded engine, with the image in it.
type world struct{ dir string }

func newWorld(t *testing.T) *world {
	t.Helper()
	if os.Getenv("BERTH_EMBEDDED") != "1" {
		t.Skip("BERTH_EMBEDDED is not 1: it needs root, overlay and a static busybox")
	}
	w := &world{dir: testenv.StateDir(t)}
	e := w.engine(t)
	if _, err := e.ImageImport(t.Context(), testenv.Busybox(t), engine.ImportOptions{Reference: image, Changes: []string{"ENV PATH=/bin:/usr/bin", `CMD ["sh"]`}}); err != nil {
		t.Fatalf("make the image: %v", err)
	}
	return w
}

// engine opens the engine for the time of the test.
func (w *world) engine(t *testing.T, opts ...embedded.Option) engine.Engine {
	t.Helper()
	opts = append([]embedded.Option{embedded.WithRoot(filepath.Join(w.dir, "root")), embedded.WithRunRoot(filepath.Join(w.dir, "run"))}, opts...)
	e, err := embedded.Open(context.WithoutCancel(t.Context()), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// client is a client of that engine.
func (w *world) client(t *testing.T, opts ...embedded.Option) *berth.Client {
	t.Helper()
	cli, err := berth.New(t.Context(), berth.WithEngine(w.engine(t, opts...)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cli.Close() })
	return cli
}

// output runs a line of shell in a new container and returns what it wrote; it must end with 0.
func output(t *testing.T, cli *berth.Client, spec berth.Spec, line string) string {
	t.Helper()
	if spec.Image == "" {
		spec.Image = image
	}
	spec.Command = berth.Shell(line)
	res, err := cli.Containers.Run(t.Context(), spec)
	if err != nil {
		t.Errorf("%s: %v", line, err)
	}
	if res == nil {
		return ""
	}
	return strings.TrimSpace(string(res.Stdout) + string(res.Stderr))
}

// start starts a container that runs a line of shell, and removes it with the test.
func start(t *testing.T, cli *berth.Client, spec berth.Spec, line string) *berth.Container {
	t.Helper()
	if spec.Image == "" {
		spec.Image = image
	}
	if line != "" {
		spec.Command = berth.Shell(line)
	}
	if spec.StopTimeout == nil {
		spec.StopTimeout = new(0 * spec.Timeout)
	}
	c, err := cli.Containers.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { discard(t, c) })
	return c
}

// discard removes a container, which may be gone.
func discard(t *testing.T, c *berth.Container) {
	t.Helper()
	if err := c.Remove(context.WithoutCancel(t.Context()), berth.RemoveOptions{Force: true, Volumes: true}); err != nil && !isGone(err) {
		t.Errorf("remove %v: %v", c, err)
	}
}
