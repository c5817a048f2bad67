package inspect

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

func TestSummary(t *testing.T) {
	type brief struct {
		Status engine.Status
		Text   string
		Exit   string
		Health engine.HealthStatus
		Ports  int
	}
	want := map[string]brief{
		"created":       {engine.StatusCreated, "Created", "", "", 0},
		"created full":  {engine.StatusCreated, "Created", "", "", 0},
		"cannot start":  {engine.StatusCreated, "Created", "", "", 0},
		"running":       {engine.StatusRunning, "Up About an hour", "", engine.HealthNone, 0},
		"running full":  {engine.StatusRunning, "Up About an hour (healthy)", "", engine.HealthHealthy, 3},
		"running again": {engine.StatusRunning, "Up About an hour (healthy)", "", engine.HealthHealthy, 3},
		"paused":        {engine.StatusPaused, "Up About an hour (Paused)", "", engine.HealthHealthy, 3},
		"restarting":    {engine.StatusRestarting, "Restarting (3) 3 seconds ago", "3", "", 0},
		"exited":        {engine.StatusExited, "Exited (3) 3 seconds ago", "3", "", 0},
		"exited full":   {engine.StatusExited, "Exited (3) 3 seconds ago", "3", "", 0},
		"monitor lost":  {engine.StatusExited, "Exited (137)", "137", "", 0},
		"broken":        {engine.StatusDead, "Dead", "", "", 0},
	}
	got := map[string]brief{}
	for name, s := range snapshots() {
		sum := Summary(s, now)
		b := brief{sum.Status, sum.StatusText, "", sum.Health, len(sum.Ports)}
		if sum.ExitCode != nil {
			b.Exit = fmt.Sprint(*sum.ExitCode)
		}
		got[name] = b
		if sum.ID != s.Config.ID || sum.Names[0] != s.Config.Name || sum.Raw != string(sum.Status) {
			t.Errorf("%s: %+v", name, sum)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	sum := Summary(&state.Snapshot{Config: full()}, now)
	if sum.Command != "/entry 'one arg' two" || sum.Labels["a"] != "own" || strings.Join(sum.Networks, " ") != "n1 n2" || len(sum.Mounts) != 2 {
		t.Errorf("%+v", sum)
	}
}

// many are containers c0, c1, … of different kinds, in no order.
func many() []*state.Snapshot {
	var list []*state.Snapshot
	add := func(change func(s *state.Snapshot)) {
		cfg := plain()
		n := len(list)
		cfg.ID = fmt.Sprintf("%02x", n) + strings.Repeat("ef", 31)
		cfg.Name = fmt.Sprintf("c%d", n)
		cfg.Created = created.Add(time.Duration(n) * time.Second)
		s := &state.Snapshot{Config: cfg}
		change(s)
		list = append(list, s)
	}
	running := func(s *state.Snapshot) {
		s.Run, s.Alive = &state.Run{Status: engine.StatusRunning, PID: 7, StartedAt: started, Networks: map[string]engine.EndpointState{"bridge": {NetworkID: "netid"}}}, true
	}
	add(func(*state.Snapshot) {}) // c0
	add(running)                  // c1
	add(func(s *state.Snapshot) { // c2
		s.Exit = exit()
		s.Config.Spec.Labels = map[string]string{"app": "web", "x": ""}
	})
	add(func(s *state.Snapshot) { // c3
		s.Exit = exit()
		s.Exit.Code = 0
		s.Config.ImageConfig.Labels = map[string]string{"app": "web"}
		s.Config.Mounts = full().Mounts
	})
	add(func(s *state.Snapshot) { // c4
		running(s)
		s.Run.Status = engine.StatusPaused
		s.Config.Ports, s.Config.Exposed = full().Ports, full().Exposed
	})
	add(func(s *state.Snapshot) { // c5
		running(s)
		s.Config.Healthcheck = full().Healthcheck
		s.Run.Health = &engine.Health{Status: engine.HealthHealthy}
		s.Config.ImageID = "sha256:child"
	})
	add(func(s *state.Snapshot) { // c6
		running(s)
		s.Run.Status = engine.StatusStopping
		s.Config.Networks[0].Network = "own"
		s.Run.Networks = map[string]engine.EndpointState{"own": {NetworkID: "ownid"}}
	})
	add(func(s *state.Snapshot) { // c7
		s.Exit = &state.Exit{Code: 127, Error: "no such file"}
		s.Config.Netns, s.Config.Networks = "host", nil
	})
	list[0], list[5] = list[5], list[0]
	return list
}

var sources = Sources{
	Find: func(ref string) (string, error) {
		for _, s := range many() {
			if s.Config.Name == ref || s.Config.ID == ref {
				return s.Config.ID, nil
			}
		}
		return "", &engine.APIError{Kind: engine.ErrNotFound}
	},
	Ancestors: func(ref string) ([]string, error) {
		switch ref {
		case "busybox":
			return []string{plain().ImageID, "sha256:child"}, nil
		case "child":
			return []string{"sha256:child"}, nil
		}
		return nil, nil
	},
	Network: func(ref string) (string, string) {
		if ref == "ownid" || ref == "own" {
			return "ownid", "own"
		}
		return "", ""
	},
}

func TestList(t *testing.T) {
	f := func(kv ...string) engine.Filters {
		m := engine.Filters{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = append(m[kv[i]], kv[i+1])
		}
		return m
	}
	for _, c := range []struct {
		opts engine.ListOptions
		want string
	}{
		{engine.ListOptions{}, "6 5 4 1"},
		{engine.ListOptions{All: true}, "7 6 5 4 3 2 1 0"},
		{engine.ListOptions{Limit: 3}, "7 6 5"},
		{engine.ListOptions{Limit: 99}, "7 6 5 4 3 2 1 0"},
		{engine.ListOptions{All: true, Since: "c5"}, "7 6"},
		{engine.ListOptions{All: true, Before: "c2"}, "1 0"},
		{engine.ListOptions{Before: "c5"}, "4 1"},
		{engine.ListOptions{All: true, Filters: f("since", "c2", "before", "c5")}, "4 3"},
		{engine.ListOptions{All: true, Since: "c2", Filters: f("since", "c4")}, "7 6 5"},
		{engine.ListOptions{Limit: 1, Filters: f("label", "app=web")}, "3"},
		{engine.ListOptions{All: true, Filters: f("label", "app=web")}, "3 2"},
		{engine.ListOptions{All: true, Filters: f("label", "app")}, "3 2"},
		{engine.ListOptions{All: true, Filters: f("label", "app", "label", "x")}, "2"},
		{engine.ListOptions{All: true, Filters: f("label", "x=")}, "2"},
		{engine.ListOptions{All: true, Filters: f("label", "app=db")}, ""},
		{engine.ListOptions{All: true, Filters: f("label!", "app")}, "7 6 5 4 1 0"},
		{engine.ListOptions{All: true, Filters: f("id", "02efef")}, "2"},
		{engine.ListOptions{All: true, Filters: f("id", "^03")}, "3"},
		{engine.ListOptions{All: true, Filters: f("id", "nosuch")}, ""},
		{engine.ListOptions{All: true, Filters: f("name", "c2", "name", "c3")}, "3 2"},
		{engine.ListOptions{All: true, Filters: f("name", "^c1$")}, "1"},
		{engine.ListOptions{All: true, Filters: f("name", "^/c1$")}, "1"},
		{engine.ListOptions{All: true, Filters: f("name", "c[12]")}, "2 1"},
		{engine.ListOptions{Filters: f("status", "exited")}, "3 2"},
		{engine.ListOptions{Filters: f("status", "running")}, "6 5 1"},
		{engine.ListOptions{Filters: f("status", "stopping")}, "6"},
		{engine.ListOptions{Filters: f("status", "created", "status", "paused")}, "7 4 0"},
		{engine.ListOptions{Filters: f("health", "healthy")}, "5"},
		{engine.ListOptions{Filters: f("health", "none")}, "6 4 1"},
		{engine.ListOptions{All: true, Filters: f("exited", "3")}, "2"},
		{engine.ListOptions{All: true, Filters: f("exited", "0")}, "3"},
		{engine.ListOptions{All: true, Filters: f("exited", "127")}, ""},
		{engine.ListOptions{Filters: f("exited", "3")}, ""},
		{engine.ListOptions{All: true, Filters: f("ancestor", "child")}, "5"},
		{engine.ListOptions{Filters: f("ancestor", "busybox")}, "6 5 4 1"},
		{engine.ListOptions{All: true, Filters: f("ancestor", "nosuch")}, ""},
		{engine.ListOptions{All: true, Filters: f("volume", "v")}, "3"},
		{engine.ListOptions{All: true, Filters: f("volume", "/dst")}, "3"},
		{engine.ListOptions{All: true, Filters: f("volume", "/src")}, "3"},
		{engine.ListOptions{All: true, Filters: f("volume", "/var/v")}, ""},
		{engine.ListOptions{All: true, Filters: f("network", "own")}, "6"},
		{engine.ListOptions{All: true, Filters: f("network", "ownid")}, "6"},
		{engine.ListOptions{All: true, Filters: f("network", "host")}, "7"},
		{engine.ListOptions{All: true, Filters: f("publish", "80")}, "4"},
		{engine.ListOptions{All: true, Filters: f("publish", "53/udp")}, ""},
		{engine.ListOptions{All: true, Filters: f("expose", "53/udp")}, "4"},
		{engine.ListOptions{All: true, Filters: f("expose", "50-60/udp")}, "4"},
		{engine.ListOptions{All: true, Filters: f("expose", "53")}, ""},
		{engine.ListOptions{Filters: f("is-task", "false")}, "6 5 4 1"},
		{engine.ListOptions{Filters: f("is-task", "true")}, ""},
		{engine.ListOptions{Filters: f("isolation", "default")}, "6 5 4 1"},
		{engine.ListOptions{Filters: f("isolation", "hyperv")}, ""},
		{engine.ListOptions{All: true, Filters: f("until", created.Add(2*time.Second).Format(time.RFC3339Nano))}, "1 0"},
		{engine.ListOptions{Filters: engine.Filters{"label": nil}}, "6 5 4 1"},
		{engine.ListOptions{All: true, Filters: f("status", "exited", "label", "app", "name", "c3")}, "3"},
	} {
		all := many()
		list, err := List(all, c.opts, sources, now)
		if err != nil {
			t.Errorf("%+v: %v", c.opts, err)
			continue
		}
		var got []string
		for _, s := range list {
			got = append(got, strings.TrimPrefix(s.Names[0], "c"))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %v, want %v", c.opts, got, c.want)
		}
		if all[0].Config.Name != "c5" {
			t.Error("it has changed the order of what it was given")
		}
	}
	if list, err := List(nil, engine.ListOptions{}, Sources{}, now); list == nil || err != nil {
		t.Errorf("no containers: %v %v", list, err)
	}
}

func TestListRefuses(t *testing.T) {
	for filter, kind := range map[string]error{
		"nosuch=x": engine.ErrInvalid, "status=x": engine.ErrInvalid, "health=x": engine.ErrInvalid, "exited=x": engine.ErrInvalid, "name=[": engine.ErrInvalid,
		"id=(": engine.ErrInvalid, "publish=x": engine.ErrInvalid, "expose=99999": engine.ErrInvalid, "is-task=x": engine.ErrInvalid, "isolation=x": engine.ErrInvalid,
		"until=x": engine.ErrInvalid, "since=nosuch": engine.ErrNotFound, "before=nosuch": engine.ErrNotFound,
	} {
		filters, err := engine.ParseFilters([]string{filter})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := List(many(), engine.ListOptions{Filters: filters}, sources, now); !errors.Is(err, kind) {
			t.Errorf("%s: %v", filter, err)
		}
	}
	if _, err := List(many(), engine.ListOptions{Since: "c1"}, Sources{}, now); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("without sources: %v", err)
	}
}

// Whatever is filtered for, what comes out is newest first and nothing but what went in.
func FuzzList(f *testing.F) {
	f.Add("name", "c[12]")
	f.Add("publish", "80-90/tcp")
	f.Add("label", "=")
	f.Add("network", "")
	f.Fuzz(func(t *testing.T, key, value string) {
		list, err := List(many(), engine.ListOptions{All: true, Filters: engine.Filters{key: {value}}}, sources, now)
		if err != nil {
			if !errors.Is(err, engine.ErrInvalid) && !errors.Is(err, engine.ErrNotFound) {
				t.Error(err)
			}
			return
		}
		if !slices.IsSortedFunc(list, func(a, b engine.Summary) int { return b.Created.Compare(a.Created) }) || len(list) > len(many()) {
			t.Error(list)
		}
	})
}

func BenchmarkList(b *testing.B) {
	const n = 1000
	var all []*state.Snapshot
	for len(all) < n {
		all = append(all, many()...)
	}
	b.ReportAllocs()
	for b.Loop() {
		if list, err := List(all, engine.ListOptions{All: true, Filters: engine.Filters{"label!": {"nosuch"}}}, sources, now); err != nil || len(list) != n {
			b.Fatal(len(list), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n/1000, "µs/container")
}
