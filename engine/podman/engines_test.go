package podman

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
	"github.com/berthdev/berth/internal/wire"
)

// engines are those of BERTH_ENGINES ("podman43=/run/x.sock podman58=…") that are Podman's.
func engines() map[string]string {
	found := map[string]string{}
	for word := range strings.FieldsSeq(os.Getenv("BERTH_ENGINES")) {
		name, path, ok := strings.Cut(word, "=")
		if ok && strings.HasPrefix(name, "podman") {
			found[name] = strings.TrimPrefix(path, "unix://")
		}
	}
	return found
}

// onEngines runs a test on every real engine.
func onEngines(t *testing.T, test func(t *testing.T, e *Engine)) {
	t.Helper()
	found := engines()
	if len(found) == 0 {
		t.Skip("BERTH_ENGINES names no Podman engine")
	}
	for name, path := range found {
		t.Run(name, func(t *testing.T) {
			e, err := Open(t.Context(), Config{Wire: wire.Config{Dial: wire.DialUnix(path)}, Host: "unix://" + path, Local: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { e.Close() })
			test(t, e)
		})
	}
}

// unique is a name that no other test has.
func unique(prefix string) string { return fmt.Sprintf("pdtest-%s-%08x", prefix, rand.Uint32()) }

// made creates a container that is removed with the test.
func made(t *testing.T, e *Engine, spec engine.Spec) string {
	t.Helper()
	if spec.Image == "" && spec.Podman == nil {
		spec.Image = "busybox"
	}
	if spec.Name == "" {
		spec.Name = unique("c")
	}
	res, err := e.ContainerCreate(t.Context(), &spec, engine.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeForced(t, e, res.ID) })
	return res.ID
}

func removeForced(t *testing.T, e *Engine, id string) {
	t.Helper()
	err := e.ContainerRemove(context.WithoutCancel(t.Context()), id, engine.RemoveOptions{Force: true, Volumes: true})
	if err != nil && !isNotFound(err) {
		t.Error(err)
	}
}

// started is a container that sleeps, or runs the spec's command.
func started(t *testing.T, e *Engine, spec engine.Spec) string {
	t.Helper()
	if spec.Command == nil {
		spec.Command = []string{"sleep", "1000"}
	}
	id := made(t, e, spec)
	if err := e.ContainerStart(t.Context(), id, engine.StartOptions{}); err != nil {
		t.Fatal(err)
	}
	return id
}

// result is what a container did.
type result struct {
	stdout, stderr string
	exit           engine.Exit
}

// runErr is podman run: what comes of it, or why it does not.
func runErr(t *testing.T, e *Engine, spec engine.Spec, script string) (result, error) {
	t.Helper()
	ctx := t.Context()
	if spec.Image == "" {
		spec.Image = "busybox"
	}
	if spec.Name == "" {
		spec.Name = unique("r")
	}
	if script != "" {
		spec.Command = []string{"sh", "-c", script}
	}
	made, err := e.ContainerCreate(ctx, &spec, engine.CreateOptions{})
	if err != nil {
		return result{}, err
	}
	defer removeForced(t, e, made.ID)
	s, err := e.ContainerAttach(ctx, made.ID, engine.AttachOptions{})
	if err != nil {
		return result{}, err
	}
	defer s.Close()
	w, err := e.ContainerWait(ctx, made.ID, engine.WaitNextExit)
	if err != nil {
		return result{}, err
	}
	defer w.Close()
	if err := e.ContainerStart(ctx, made.ID, engine.StartOptions{}); err != nil {
		return result{}, err
	}
	var res result
	if res.stdout, res.stderr, err = read(s); err != nil {
		return result{}, err
	}
	res.exit, err = w.Wait()
	return res, err
}

// read is all of a stream.
func read(s engine.Stream) (stdout, stderr string, err error) {
	var o, e bytes.Buffer
	if s.Multiplexed() {
		_, err = frame.Copy(&o, &e, s)
	} else {
		_, err = o.ReadFrom(s)
	}
	return o.String(), e.String(), err
}

// run is runErr for what has to work.
func run(t *testing.T, e *Engine, spec engine.Spec, script string) string {
	t.Helper()
	res, err := runErr(t, e, spec, script)
	if err != nil {
		t.Fatal(err)
	}
	if res.exit.Code != 0 {
		t.Fatalf("exit code %d: %s%s", res.exit.Code, res.stdout, res.stderr)
	}
	return strings.TrimSpace(res.stdout)
}

// exec runs a command in a container to its end.
func exec(t *testing.T, e *Engine, id string, spec engine.ExecSpec) (out string, code int) {
	t.Helper()
	spec.AttachStdout, spec.AttachStderr = true, true
	x, err := e.ExecCreate(t.Context(), id, spec)
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.ExecStart(t.Context(), x, engine.ExecStartOptions{TTY: spec.TTY})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stdout, stderr, err := read(s)
	if err != nil {
		t.Fatal(err)
	}
	st, err := e.ExecInspect(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	if st.Running || st.ExitCode == nil {
		t.Fatalf("exec has ended, and is told as %+v", st)
	}
	return stdout + stderr, *st.ExitCode
}

// execOut is the output of a command in a container.
func execOut(t *testing.T, e *Engine, id string, args ...string) string {
	t.Helper()
	out, _ := exec(t, e, id, engine.ExecSpec{Cmd: args})
	return strings.TrimSpace(out)
}

// eventually waits for something that has to come.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("never %s", what)
}

// wantKind checks an error's kind.
func wantKind(t *testing.T, what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: error %v, want %v", what, err, kind)
	}
}

// wantUnsupported checks that an option was refused by name.
func wantUnsupported(t *testing.T, err error, option string) {
	t.Helper()
	u, ok := errors.AsType[*engine.UnsupportedError](err)
	if !ok || u.Option != option {
		t.Errorf("error %v, want an UnsupportedError of %s", err, option)
	}
}
