package docker

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
	"github.com/berthdev/berth/internal/wire"
)

// engines are those of BERTH_ENGINES ("docker20=/run/x.sock docker28=…") that are Docker's.
func engines() map[string]string {
	found := map[string]string{}
	for word := range strings.FieldsSeq(os.Getenv("BERTH_ENGINES")) {
		name, path, ok := strings.Cut(word, "=")
		if ok && strings.HasPrefix(name, "docker") {
			found[name] = strings.TrimPrefix(path, "unix://")
		}
	}
	return found
}

// onEngines runs a test on every real engine, in the version of its API that BERTH_DOCKER_API forces, else the newest.
func onEngines(t *testing.T, test func(t *testing.T, e *Engine)) {
	t.Helper()
	found := engines()
	if len(found) == 0 {
		t.Skip("BERTH_ENGINES names no Docker engine")
	}
	for name, path := range found {
		t.Run(name, func(t *testing.T) {
			e, err := Open(t.Context(), Config{Wire: wire.Config{Dial: wire.DialUnix(path)}, Host: "unix://" + path, Local: true, APIVersion: os.Getenv("BERTH_DOCKER_API")})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { e.Close() })
			test(t, e)
		})
	}
}

// unique is a name that no other test has.
func unique(prefix string) string { return fmt.Sprintf("dktest-%s-%08x", prefix, rand.Uint32()) }

// made creates a container that is removed with the test.
func made(t *testing.T, e *Engine, spec engine.Spec) string {
	t.Helper()
	if spec.Image == "" {
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

// started is a container that sleeps.
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

// runErr is docker run: what comes of it, or why it does not.
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
	var stdout, stderr bytes.Buffer
	if s.Multiplexed() {
		_, err = frame.Copy(&stdout, &stderr, s)
	} else {
		_, err = stdout.ReadFrom(s)
	}
	if err != nil {
		return result{}, err
	}
	exit, err := w.Wait()
	return result{stdout.String(), stderr.String(), exit}, err
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

// execOut is the output of a command in a container.
func execOut(t *testing.T, e *Engine, id string, args ...string) string {
	t.Helper()
	exec, err := e.ExecCreate(t.Context(), id, engine.ExecSpec{Cmd: args, AttachStdout: true, AttachStderr: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.ExecStart(t.Context(), exec, engine.ExecStartOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out bytes.Buffer
	if _, err := frame.Copy(&out, &out, s); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out.String())
}
