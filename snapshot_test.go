package berth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/berthdev/berth/engine"
)

func TestSnapshotFollowsChanges(t *testing.T) {
	cli, e := newFake(t)
	ctx := soon(t)
	c, err := cli.Containers.Create(ctx, spec("sleep"))
	if err != nil {
		t.Fatal(err)
	}
	created := c.Attrs()
	if created == nil || created.State.Status != StatusCreated || c.Stale() || c.Gone() || c.Summary() != nil {
		t.Fatalf("after Create: %+v", created)
	}
	if c.Attrs() != created {
		t.Error("the snapshot is another one without a refresh")
	}
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if got := c.Attrs().State.Status; got != StatusRunning {
		t.Errorf("after Start: %s", got)
	}
	if created.State.Status != StatusCreated {
		t.Error("the old snapshot was modified")
	}
	if err := c.Rename(ctx, "other"); err != nil || c.Name() != "other" {
		t.Errorf("after Rename: %s, %v", c.Name(), err)
	}
	if s, err := c.Status(ctx); s != StatusRunning || err != nil {
		t.Errorf("Status: %s, %v", s, err)
	}
	if err := c.Remove(ctx, RemoveOptions{Force: true}); err != nil || !c.Gone() {
		t.Errorf("after Remove: gone %v, %v", c.Gone(), err)
	}
	if c.Attrs() == nil || c.Name() != "other" {
		t.Error("the last snapshot was lost by the removal")
	}
	if err := c.Reload(ctx); !errors.Is(err, ErrNotFound) {
		t.Errorf("Reload of a removed container: %v", err)
	}
	noneLeft(t, e)
}

// A refresh that fails does not turn a success into an error.
func TestRefreshFailure(t *testing.T) {
	cli, e := newFake(t)
	ctx := soon(t)
	c, err := cli.Containers.Create(ctx, spec("sleep"))
	if err != nil {
		t.Fatal(err)
	}
	before := c.Attrs()
	e.Hook = failing("ContainerInspect", errors.New("boom"))
	if err := c.Start(ctx); err != nil {
		t.Errorf("Start: %v", err)
	}
	if !c.Stale() || c.Gone() || c.Attrs() != before {
		t.Errorf("stale %v, gone %v", c.Stale(), c.Gone())
	}
	e.Hook = nil
	if err := c.Reload(ctx); err != nil || c.Stale() {
		t.Errorf("after Reload: stale %v, %v", c.Stale(), err)
	}
	// A call that was cancelled may or may not have been done.
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := c.Pause(cancelled); !errors.Is(err, context.Canceled) || !c.Stale() {
		t.Errorf("Pause: %v, stale %v", err, c.Stale())
	}
	// The container is gone by the time of the refresh, as with AutoRemove.
	e.Hook = failing("ContainerInspect", &engine.APIError{Kind: engine.ErrNotFound})
	if err := c.Kill(ctx, ""); err != nil || !c.Gone() {
		t.Errorf("Kill: %v, gone %v", err, c.Gone())
	}
	// Nor does a failing refresh fail a creation.
	c, err = cli.Containers.Start(ctx, spec("sleep"))
	if err != nil || c.Attrs() != nil || !c.Gone() {
		t.Errorf("Start: %v", err)
	}
	e.Hook = nil
}

func TestNoRefresh(t *testing.T) {
	cli, e := newFake(t, NoRefresh())
	ctx := soon(t)
	c, err := cli.Containers.Start(ctx, spec("sleep"))
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(e.Calls(), "ContainerInspect") || c.Attrs() != nil || !c.Stale() {
		t.Errorf("calls %v, stale %v", e.Calls(), c.Stale())
	}
}

func TestList(t *testing.T) {
	cli, e := newFake(t)
	ctx := soon(t)
	for i := range 20 {
		s := spec("sleep")
		s.Name, s.Labels = fmt.Sprintf("c%d", i), map[string]string{"n": fmt.Sprint(i)}
		if _, err := cli.Containers.Start(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	e.ResetCalls()
	list, err := cli.Containers.List(ctx)
	if err != nil || len(list) != 20 {
		t.Fatalf("%d containers, %v", len(list), err)
	}
	if !slices.Equal(e.Calls(), []string{"ContainerList"}) {
		t.Errorf("requests: %v", e.Calls())
	}
	c := list[0]
	if c.Attrs() != nil || c.Summary() == nil || c.Name() != c.Summary().Names[0] || c.Labels()["n"] == "" || c.ImageRef() != "busybox" || c.ImageID() == "" {
		t.Errorf("listed container: %v", c)
	}

	// Containers that vanish while they are inspected are left out.
	var mu sync.Mutex
	inspected := 0
	e.Hook = func(ctx context.Context, op, id string) error {
		mu.Lock()
		defer mu.Unlock()
		if op == "ContainerInspect" {
			if inspected++; inspected%2 == 0 {
				return &engine.APIError{Kind: engine.ErrNotFound}
			}
		}
		return nil
	}
	list, err = cli.Containers.List(ctx, ListOptions{Inspect: true})
	if err != nil || len(list) != 10 || slices.ContainsFunc(list, func(c *Container) bool { return c.Attrs() == nil }) {
		t.Errorf("%d containers, %v", len(list), err)
	}
	boom := errors.New("boom")
	e.Hook = failing("ContainerInspect", boom)
	if _, err = cli.Containers.List(ctx, ListOptions{Inspect: true}); !errors.Is(err, boom) {
		t.Errorf("error %v", err)
	}
	e.Hook = nil
	cancelled, cancel := context.WithCancel(ctx)
	e.Hook = func(_ context.Context, op, _ string) error {
		if op == "ContainerInspect" {
			cancel()
		}
		return nil
	}
	if _, err = cli.Containers.List(cancelled, ListOptions{Inspect: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	e.Hook = nil
	if _, err := cli.Containers.List(ctx, ListOptions{Limit: -1}); !errors.Is(err, ErrInvalid) {
		t.Errorf("negative limit: %v", err)
	}
}

func TestContainerIdentity(t *testing.T) {
	cli, _ := newFake(t)
	other, _ := newFake(t)
	a, b := cli.container("0123456789abcdef"), cli.container("0123456789abcdef")
	if !a.Equal(b) || a.Equal(cli.container("x")) || a.Equal(nil) || !(*Container)(nil).Equal(nil) {
		t.Error("Equal")
	}
	if !a.Equal(other.container("0123456789abcdef")) {
		t.Error("Equal of two clients of one engine")
	}
	if got := a.String(); got != "Container(0123456789ab)" {
		t.Error(got)
	}
	a.snap.Store(&snapshot{attrs: &Attrs{Name: "db"}})
	if got := a.String(); got != "Container(0123456789ab db)" {
		t.Error(got)
	}
	if c := cli.container("short"); c.ShortID() != "short" || c.Labels() != nil || c.ImageID() != "" || c.ImageRef() != "" {
		t.Error("a handle of which nothing is known")
	}
}

func TestEmptyNames(t *testing.T) {
	cli, e := newFake(t)
	ctx := t.Context()
	_, get := cli.Containers.Get(ctx, "")
	_, exists := cli.Containers.Exists(ctx, "")
	for name, err := range map[string]error{
		"get": get, "exists": exists,
		"remove": cli.Containers.Remove(ctx, ""),
		"rename": cli.container("x").Rename(ctx, ""),
		"kill":   cli.container("x").Kill(ctx, "NOSUCH"),
		"resize": cli.container("x").Resize(ctx, Size{Rows: 1}),
	} {
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(e.Calls()) != 0 {
		t.Errorf("requests: %v", e.Calls())
	}
}

// More than one options value is an error wherever they are taken.
func TestTwoOptions(t *testing.T) {
	cli, e := newFake(t)
	ctx := t.Context()
	c := cli.container("x")
	drain := func(seq func(func(LogLine, error) bool)) (last error) {
		for _, err := range seq {
			last = err
		}
		return last
	}
	_, list := cli.Containers.List(ctx, ListOptions{}, ListOptions{})
	_, create := cli.Containers.Create(ctx, Spec{}, CreateOptions{}, CreateOptions{})
	_, start := cli.Containers.Start(ctx, Spec{}, CreateOptions{}, CreateOptions{})
	_, prune := cli.Containers.Prune(ctx, nil, nil)
	_, inspect := c.Inspect(ctx, InspectOptions{}, InspectOptions{})
	_, top := c.Top(ctx, TopOptions{}, TopOptions{})
	_, commit := c.Commit(ctx, CommitOptions{}, CommitOptions{})
	_, wait := c.Wait(ctx, WaitRemoved, WaitNextExit)
	_, once := c.StatsOnce(ctx, StatsOptions{}, StatsOptions{})
	_, conn := c.AttachConn(ctx, AttachConnOptions{}, AttachConnOptions{})
	var stats, events, tops error
	for _, stats = range c.Stats(ctx, StatsOptions{}, StatsOptions{}) {
	}
	for _, events = range cli.Events(ctx, EventOptions{}, EventOptions{}) {
	}
	for _, tops = range c.TopStream(ctx, TopStreamOptions{}, TopStreamOptions{}) {
	}
	for name, err := range map[string]error{
		"list": list, "create": create, "start": start, "prune": prune, "inspect": inspect, "top": top, "commit": commit,
		"wait": wait, "stats once": once, "attach conn": conn, "stats": stats, "events": events, "top stream": tops,
		"logs":      drain(c.Logs(ctx, LogOptions{}, LogOptions{})),
		"logs to":   c.LogsTo(ctx, nil, nil, LogOptions{}, LogOptions{}),
		"c.start":   c.Start(ctx, StartOptions{}, StartOptions{}),
		"c.stop":    c.Stop(ctx, StopOptions{}, StopOptions{}),
		"c.restart": c.Restart(ctx, StopOptions{}, StopOptions{}),
		"c.remove":  c.Remove(ctx, RemoveOptions{}, RemoveOptions{}),
		"remove":    cli.Containers.Remove(ctx, "x", RemoveOptions{}, RemoveOptions{}),
		"attach":    c.Attach(ctx, AttachOptions{}, AttachOptions{}),
	} {
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(e.Calls()) != 0 {
		t.Errorf("requests: %v", e.Calls())
	}
}
