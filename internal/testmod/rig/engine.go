package rig

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthdev/berth"
)

// Image is the image that every test engine has.
const Image = "docker.io/library/busybox:latest"

// Engine is the real engine under test.
type Engine struct {
	Name    string // as scripts/engines calls it: docker28
	Host    string // unix:///path
	Socket  string // the path
	Addr    string // where its published ports are; "" for the loopback address
	OurAddr string // where it reaches us
}

// NeedEngine returns the engine that the environment names and skips the test
// when there is none.
func NeedEngine(t testing.TB) Engine {
	t.Helper()
	e := Engine{
		Name: os.Getenv("BERTH_ENGINE"), Host: os.Getenv("BERTH_ENGINE_HOST"),
		Addr: os.Getenv("BERTH_ENGINE_ADDR"), OurAddr: os.Getenv("BERTH_OUR_ADDR"),
	}
	if e.Name == "" || e.Host == "" {
		t.Skip("no engine: BERTH_ENGINE and BERTH_ENGINE_HOST are not set (scripts/test conformance NAME sets them)")
	}
	socket, ok := strings.CutPrefix(e.Host, "unix://")
	if !ok {
		t.Skipf("the engine is at %s: these tests put things in front of a unix socket", e.Host)
	}
	e.Socket = socket
	return e
}

// Docker tells whether it is Docker, not Podman.
func (e Engine) Docker() bool { return strings.HasPrefix(e.Name, "docker") }

// Kind is docker or podman.
func (e Engine) Kind() string {
	if e.Docker() {
		return "docker"
	}
	return "podman"
}

// Connect returns a client of the engine itself, which the test's end closes.
func (e Engine) Connect(t testing.TB, opts ...berth.Option) *berth.Client {
	t.Helper()
	return Connect(t, append([]berth.Option{berth.WithHost(e.Host)}, opts...)...)
}

// Connect is berth.New, closed at the test's end.
func Connect(t testing.TB, opts ...berth.Option) *berth.Client {
	t.Helper()
	cli, err := berth.New(t.Context(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cli.Close(); err != nil {
			t.Errorf("close the client: %v", err)
		}
	})
	return cli
}

// Name returns a new name for an object of a test.
func Name() string { return "berth-test-" + strings.ToLower(rand.Text()[:10]) }

// Spec is a container with a name of its own and without a network, which is the
// quickest there is.
func Spec(command ...string) berth.Spec {
	return berth.Spec{Image: Image, Name: Name(), Command: command, NetworkMode: "none"}
}

// Start runs a shell line in a container of its own, which the test's end
// removes.
func Start(t testing.TB, cli *berth.Client, line string) *berth.Container {
	t.Helper()
	return StartSpec(t, cli, Spec(berth.Shell(line)...))
}

// StartSpec is Start of any container.
func StartSpec(t testing.TB, cli *berth.Client, spec berth.Spec) *berth.Container {
	t.Helper()
	c, err := cli.Containers.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Remove(t, cli, c.ID()) })
	return c
}

// Remove removes a container with all that it has; that it is gone already is
// fine.
func Remove(t testing.TB, cli *berth.Client, id string) {
	t.Helper()
	err := cli.Containers.Remove(context.WithoutCancel(t.Context()), id, berth.RemoveOptions{Force: true, Volumes: true})
	if err != nil && !isGone(err) {
		t.Errorf("remove container: %v", err)
	}
}

// Script runs scripts/engines with these arguments and returns what it prints.
func Script(t testing.TB, args ...string) (string, error) {
	t.Helper()
	script, err := filepath.Abs("../../../scripts/engines")
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(script, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Logf("scripts/engines %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return strings.TrimSpace(string(out)), err
}

// Owned tells whether the engine is one that scripts/engines has started, so
// that a test may enter its namespaces, and says why not.
func (e Engine) Owned(t testing.TB) (ok bool, why string) {
	t.Helper()
	if os.Getenv("BERTH_ENGINES") != "" {
		return false, "BERTH_ENGINES is set: the engine was started by others"
	}
	socket, err := Script(t, "sock", e.Name)
	switch {
	case err != nil:
		return false, "scripts/engines does not know " + e.Name
	case socket != e.Socket:
		return false, "the engine is at " + e.Socket + ", that of scripts/engines at " + socket
	}
	return true, ""
}
