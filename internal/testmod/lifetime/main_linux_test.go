package lifetime

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/embedded"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/testenv"
)

// image is that of all containers here.
const image = "docker.io/library/busybox:latest"

func TestMain(m *testing.M) {
	if os.Getenv(jobVariable) != "" {
		os.Exit(runJob())
	}
	if os.Getenv("BERTH_EMBEDDED") == "1" {
		if code, done := testenv.Isolate(); done {
			os.Exit(code)
		}
	}
	leaktest.Main(m)
}

// patience is how long a call may take that has nothing to wait for any more. It is no
// limit on the speed of anything: a call that hangs never ends.
const patience = time.Minute

// world is a state directory of the embedded engine, with the image in it.
type world struct {
	t         *testing.T
	root, run string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	needEmbedded(t)
	return newWorldIn(t, testenv.StateDir(t))
}

// newWorldIn makes one below a directory.
func newWorldIn(t *testing.T, dir string) *world {
	t.Helper()
	w := &world{t: t, root: filepath.Join(dir, "root"), run: filepath.Join(dir, "run")}
	e := w.engine()
	defer e.Close()
	_, err := e.ImageImport(t.Context(), testenv.Busybox(t), engine.ImportOptions{Reference: image, Changes: []string{"ENV PATH=/bin:/usr/bin", `CMD ["sh"]`}})
	if err != nil {
		t.Fatalf("make the image: %v", err)
	}
	return w
}

func needEmbedded(t *testing.T) {
	t.Helper()
	if os.Getenv("BERTH_EMBEDDED") != "1" {
		t.Skip("BERTH_EMBEDDED is not 1: it needs root, overlay and a static busybox")
	}
}

// engine opens the engine; the caller closes it.
func (w *world) engine() engine.Engine {
	w.t.Helper()
	e, err := open(w.root, w.run)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func open(root, run string) (engine.Engine, error) {
	return embedded.Open(context.Background(), embedded.WithRoot(root), embedded.WithRunRoot(run))
}

// client is a client, which is closed with the test t.
func (w *world) client(t *testing.T) *berth.Client {
	t.Helper()
	cli, err := connect(w.root, w.run)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cli.Close() })
	return cli
}

func connect(root, run string) (*berth.Client, error) {
	e, err := open(root, run)
	if err != nil {
		return nil, err
	}
	cli, err := berth.New(context.Background(), berth.WithEngine(e))
	if err != nil {
		e.Close()
	}
	return cli, err
}

// sleeper is a container that runs until it is stopped, at once.
func sleeper(name string) berth.Spec {
	return berth.Spec{Image: image, Name: name, Command: []string{"sleep", "1000"}, StopTimeout: new(time.Duration(0))}
}

// remove removes a container with what runs in it.
func remove(t *testing.T, cli *berth.Client, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	if err := cli.Containers.Remove(ctx, name, berth.RemoveOptions{Force: true, Volumes: true}); err != nil {
		t.Errorf("remove %s: %v", name, err)
	}
}

// eventually waits for what takes its time, such as the death of a process.
func eventually(t *testing.T, what string, f func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Errorf("%s: %v", what, err)
}

// alive tells whether a process is there and no zombie.
func alive(pid int) error {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return err
	}
	if zombie(stat) {
		return fmt.Errorf("process %d is a zombie", pid)
	}
	return nil
}
