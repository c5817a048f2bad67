package berthtest

import (
	"context"
	"errors"
	"maps"
	"os"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

const (
	// RequireVariable is the environment variable that makes a missing engine fail a test instead of skipping it.
	RequireVariable = "BERTH_TEST_REQUIRE"
	// SessionLabel is on everything that is started here: the host and process ID of the test binary.
	SessionLabel = "dev.berth.session"
	// TestLabel is the name of the test that started a container.
	TestLabel = "dev.berth.test"

	logLines       = 100              // of a failed test's container
	cleanupTimeout = 30 * time.Second // for the logs and the removal
)

// Client connects to the container engine that [berth.New] finds, with these
// options, and closes the connection when the test ends. Without an engine the test is skipped; see the
// package's comment.
func Client(t testing.TB, opts ...berth.Option) *berth.Client {
	t.Helper()
	cli, err := berth.New(t.Context(), opts...)
	switch {
	case errors.Is(err, berth.ErrUnavailable) && os.Getenv(RequireVariable) == "":
		t.Skipf("needs a container engine: %v", err)
	case err != nil:
		t.Fatalf("connect to the container engine: %v", err)
	}
	t.Cleanup(func() {
		if err := cli.Close(); err != nil {
			t.Errorf("close the connection to the container engine: %v", err)
		}
	})
	return cli
}

// Start starts a container on the engine of [Client], pulling its image if that is missing,
// and waits until the conditions hold, if there are any: as [berth.Container.WaitFor] does. The container is
// removed when the test ends. What goes wrong fails the test.
func Start(t testing.TB, spec berth.Spec, ready ...berth.Condition) *berth.Container {
	t.Helper()
	return StartOn(t, Client(t), spec, ready...)
}

// StartOn is Start on the engine of cli.
func StartOn(t testing.TB, cli *berth.Client, spec berth.Spec, ready ...berth.Condition) *berth.Container {
	t.Helper()
	spec.Labels = maps.Clone(spec.Labels)
	if spec.Labels == nil {
		spec.Labels = map[string]string{}
	}
	spec.Labels[SessionLabel] = session()
	spec.Labels[TestLabel] = t.Name()
	c, err := cli.Containers.Start(t.Context(), spec)
	if err != nil {
		t.Fatalf("start a container of %s: %v", spec.Image, err)
	}
	t.Cleanup(func() { end(t, c) })
	if len(ready) > 0 {
		if err := c.WaitFor(t.Context(), ready...); err != nil {
			t.Fatalf("wait for a container of %s: %v", spec.Image, err)
		}
	}
	return c
}

// end shows the log of a failed test's container and removes it. The test's own context is over by now.
func end(t testing.TB, c *berth.Container) {
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	if t.Failed() {
		showLog(ctx, t, c)
	}
	err := c.Remove(ctx, berth.RemoveOptions{Force: true, Volumes: true})
	if err != nil && !errors.Is(err, berth.ErrNotFound) {
		t.Errorf("remove %v: %v", c, err)
	}
}

// showLog writes the end of the container's log to that of the test.
func showLog(ctx context.Context, t testing.TB, c *berth.Container) {
	t.Logf("the last lines of %v:", c)
	for line, err := range c.Logs(ctx, berth.LogOptions{Tail: new(logLines)}) {
		if err != nil {
			t.Logf("(log of %v: %v)", c, err)
			return
		}
		t.Logf("%v | %s", line.Stream, line.Text)
	}
}
