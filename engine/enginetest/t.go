package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

// T is a running case. Its helpers end the case when what they do fails. An
// [berth.UnsupportedError] from any of them ends it as unsupported.
type T struct {
	*testing.T
	s      *suite
	ctx    context.Context
	name   string
	result Result
	option string
	detail string
}

// Context ends with the case, or when it has taken minutes.
func (t *T) Context() context.Context { return t.ctx }

// Client returns the client of the engine under test.
func (t *T) Client() *berth.Client { return t.s.cli }

// NewClient returns a further client, closed with the case.
func (t *T) NewClient(opts ...berth.Option) *berth.Client {
	t.Helper()
	cli, err := t.s.cfg.New(t.Context(), opts...)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() {
		if err := cli.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return cli
}

// Config returns what is known of the engine.
func (t *T) Config() Config { return t.s.cfg }

// Kind returns the engine's name: docker, podman, embedded.
func (t *T) Kind() string { return t.Client().Engine().Name }

// Unsupported ends the case as unsupported if err is an UnsupportedError; else it fails the case. Use it where the refusal is what the case looks for.
func (t *T) Unsupported(err error) {
	t.Helper()
	var ue *berth.UnsupportedError
	if !errors.As(err, &ue) {
		t.Fatalf("error is %v, want an UnsupportedError", err)
	}
	t.result, t.option, t.detail = Unsupported, ue.Option, ue.Error()
	t.Skipf("unsupported: %v", ue)
}

// Untestable ends the case: this host lacks what shows the effect. refusal is the engine's exact refusal where it gave one, else nil.
func (t *T) Untestable(reason string, refusal error) {
	t.Helper()
	t.result, t.detail = Untestable, reason
	if refusal != nil {
		t.detail += ": " + refusal.Error()
	}
	t.Skipf("not testable here: %s", t.detail)
}

// Check ends the case if err is not nil: as unsupported where it is an UnsupportedError, else as failed.
func (t *T) Check(err error, format string, args ...any) {
	t.Helper()
	if err == nil {
		return
	}
	if errors.Is(err, berth.ErrUnsupported) {
		t.Unsupported(err)
	}
	t.Fatalf("%s: %v", fmt.Sprintf(format, args...), err)
}

// Name returns a new name for a container, volume, network, secret or image.
func (t *T) NewName() string {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.s.count++
	return fmt.Sprintf("berthtest-%s-%d", strings.ToLower(strings.NewReplacer("T", "", ".", "").Replace(t.s.run)), t.s.count)
}

// Labels mark what belongs to this case.
func (t *T) Labels() map[string]string {
	return map[string]string{label: t.s.run, label + ".case": t.name}
}

// Spec is a container of the image that runs command. StopTimeout is zero so that it stops at once.
func (t *T) Spec(command ...string) berth.Spec {
	return berth.Spec{Image: t.s.cfg.Image, Command: command, Labels: t.Labels(), StopTimeout: new(time.Duration(0))}
}

// Sleeper is a container that does nothing until it is ended.
func (t *T) Sleeper() berth.Spec { return t.Spec("sleep", "3600") }

// Output runs spec to its end and returns its standard output. Any failure, a non-zero exit too, ends the case.
func (t *T) Output(spec berth.Spec) string {
	t.Helper()
	res, err := t.Client().Containers.Run(t.Context(), spec)
	var ee *berth.ExitError
	if errors.As(err, &ee) {
		t.Fatalf("run %v: %v\nstdout: %s\nstderr: %s", spec.Command, err, res.Stdout, res.Stderr)
	}
	t.Check(err, "run %v", spec.Command)
	return string(res.Stdout)
}

// Sh runs a shell line in a container of spec and returns its output without the final newline.
func (t *T) Sh(spec berth.Spec, line string) string {
	t.Helper()
	spec.Command = []string{"sh", "-c", line}
	return strings.TrimSuffix(t.Output(spec), "\n")
}

// Start starts spec and removes it with the case.
func (t *T) Start(spec berth.Spec) *berth.Container {
	t.Helper()
	c, err := t.Client().Containers.Start(t.Context(), spec)
	t.Check(err, "start %v", spec.Command)
	t.removeLater(c)
	return c
}

// Create creates spec and removes it with the case.
func (t *T) Create(spec berth.Spec) *berth.Container {
	t.Helper()
	c, err := t.Client().Containers.Create(t.Context(), spec)
	t.Check(err, "create %v", spec.Command)
	t.removeLater(c)
	return c
}

func (t *T) removeLater(c *berth.Container) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		err := c.Remove(ctx, berth.RemoveOptions{Force: true, Volumes: true})
		if err != nil && !errors.Is(err, berth.ErrNotFound) {
			t.Errorf("remove %s: %v", c, err)
		}
	})
}

// Shared returns a running container that cases share. They must not change it.
func (t *T) Shared() *berth.Container {
	t.Helper()
	t.s.shared.Do(func() {
		spec := t.Sleeper()
		spec.Labels = map[string]string{label: t.s.run, label + ".case": "shared"}
		t.s.shared.c, t.s.shared.err = t.Client().Containers.Start(context.WithoutCancel(t.Context()), spec)
	})
	t.Check(t.s.shared.err, "start the shared container")
	return t.s.shared.c
}

// Exec runs a command in c and returns its standard output.
func (t *T) Exec(c *berth.Container, args ...string) string {
	t.Helper()
	cmd := c.Command(args[0], args[1:]...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output(t.Context())
	if err != nil {
		t.Check(err, "exec %v in %s (stderr %q)", args, c, stderr.String())
	}
	return string(out)
}

// ExecSh runs a shell line in c and returns its output without the final newline.
func (t *T) ExecSh(c *berth.Container, line string) string {
	t.Helper()
	return strings.TrimSuffix(t.Exec(c, "sh", "-c", line), "\n")
}

// Equal fails the case, and goes on, when got is not want.
func Equal[V comparable](t *T, what string, got, want V) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// Contains fails the case, and goes on, when text lacks part.
func (t *T) Contains(what, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("%s is %q, want %q in it", what, text, part)
	}
}

// WantError fails the case when err is not of the kind.
func (t *T) WantError(what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: error is %v, want %v", what, err, kind)
	}
}

// Gone fails the case when a container that bears this case's labels is left.
func (t *T) Gone(what string) {
	t.Helper()
	left, err := t.Client().Containers.List(t.Context(), berth.ListOptions{All: true, Filters: berth.Filters{
		"label": {label + "=" + t.s.run, label + ".case=" + t.name}}})
	t.Check(err, "list")
	for _, c := range left {
		t.Errorf("%s left container %s behind", what, c)
	}
}
