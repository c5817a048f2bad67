package berth

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/fakeengine"
	"github.com/berthdev/berth/internal/leaktest"
)

// inBubble runs f with a client of a fake engine in which time is not real.
func inBubble(t *testing.T, f func(t *testing.T, cli *Client, e *fakeengine.Engine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cli, e := newFake(t)
		f(t, cli, e)
		for _, id := range e.Left() {
			e.ContainerRemove(context.Background(), id, engine.RemoveOptions{Force: true})
		}
		synctest.Wait()
	})
}

func mustStart(t *testing.T, cli *Client, s Spec) *Container {
	t.Helper()
	c, err := cli.Containers.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func healthSpec(command ...string) Spec {
	s := spec(command...)
	s.Healthcheck = &Healthcheck{Test: CmdShell("true"), Interval: 10 * time.Second}
	return s
}

func TestWaitForHealthy(t *testing.T) {
	inBubble(t, func(t *testing.T, cli *Client, e *fakeengine.Engine) {
		c := mustStart(t, cli, healthSpec("sleep"))
		begin := time.Now()
		time.AfterFunc(3*time.Second, func() { e.SetHealth(c.ID(), Health{Status: HealthHealthy}) })
		if err := c.WaitFor(t.Context(), Healthy()); err != nil || time.Since(begin) > 3*time.Second+defaultPoll {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		if h, err := c.Health(t.Context()); h.Status != HealthHealthy || err != nil {
			t.Errorf("health %+v, %v", h, err)
		}
		if slices.Contains(e.Calls(), "ContainerHealthcheck") {
			t.Error("the engine has timers, and Berth ran the check")
		}
	})
}

func TestWaitForUnhealthyFailsAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, cli *Client, e *fakeengine.Engine) {
		c := mustStart(t, cli, healthSpec("sleep"))
		e.SetHealth(c.ID(), Health{Status: HealthUnhealthy, Log: []HealthResult{{ExitCode: 1, Output: "no route\n"}}})
		begin := time.Now()
		err := c.WaitFor(t.Context(), Healthy(), LogMatches("never"))
		we, ok := errors.AsType[*WaitError](err)
		if !ok || we.Health == nil || !strings.Contains(err.Error(), "no route") || time.Since(begin) != 0 {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
	})
}

func TestWaitForWithoutHealthcheck(t *testing.T) {
	inBubble(t, func(t *testing.T, cli *Client, _ *fakeengine.Engine) {
		c := mustStart(t, cli, spec("sleep"))
		if err := c.WaitFor(t.Context(), Healthy()); err == nil || !strings.Contains(err.Error(), "no health check") {
			t.Errorf("error %v", err)
		}
		if h, err := c.Health(t.Context()); h.Status != HealthNone || err != nil {
			t.Errorf("health %+v, %v", h, err)
		}
	})
}

// Where the engine's timers do not fire, Berth runs the check once an interval.
func TestHealthWithoutTimers(t *testing.T) {
	inBubble(t, func(t *testing.T, cli *Client, e *fakeengine.Engine) {
		e.Features[engine.FeatureHealthTimer] = false
		begin := time.Now()
		var runs []time.Duration
		e.Health = func(string) HealthResult {
			runs = append(runs, time.Since(begin))
			return HealthResult{ExitCode: 1, Healthy: len(runs) == 4}
		}
		c := mustStart(t, cli, healthSpec("sleep"))
		for range 100 {
			h, err := c.Health(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if h.Status == HealthHealthy {
				break
			}
			time.Sleep(time.Second)
		}
		if want := []time.Duration{0, 10 * time.Second, 20 * time.Second, 30 * time.Second}; !slices.Equal(runs, want) {
			t.Errorf("checks ran at %v, want %v", runs, want)
		}
		if err := c.Kill(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		n := len(runs)
		time.Sleep(time.Hour)
		if _, err := c.Health(t.Context()); err != nil || len(runs) != n {
			t.Errorf("the check of an ended container ran, or %v", err)
		}
	})
}

func TestHealthInterval(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		h    Healthcheck
		at   time.Duration
		want time.Duration
	}{
		"default":            {Healthcheck{}, 0, 30 * time.Second},
		"own":                {Healthcheck{Interval: time.Minute}, 0, time.Minute},
		"in the start":       {Healthcheck{Interval: time.Minute, StartPeriod: time.Minute, StartInterval: time.Second}, 30 * time.Second, time.Second},
		"after the start":    {Healthcheck{Interval: time.Minute, StartPeriod: time.Minute, StartInterval: time.Second}, time.Minute, time.Minute},
		"no start period":    {Healthcheck{StartInterval: time.Second}, 0, 30 * time.Second},
		"start period alone": {Healthcheck{StartPeriod: time.Minute}, 0, 30 * time.Second},
	} {
		attrs := &Attrs{Config: Config{Healthcheck: &tc.h}, State: State{StartedAt: start}}
		if got := healthInterval(attrs, start.Add(tc.at)); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestWaitForLog(t *testing.T) {
	inBubble(t, func(t *testing.T, cli *Client, e *fakeengine.Engine) {
		c, err := cli.Containers.Create(t.Context(), spec("hello-sleep"))
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		time.AfterFunc(5*time.Second, func() { // a container that was not started yet is waited for
			if err := c.Start(t.Context()); err != nil {
				t.Error(err)
			}
		})
		if err := c.WaitFor(t.Context(), LogMatches("^hel+o$")); err != nil || time.Since(begin) > 5*time.Second+defaultPoll {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		time.AfterFunc(time.Second, func() { c.Kill(t.Context(), "") })
		err = c.WaitFor(t.Context(), LogMatches("never"))
		if we, ok := errors.AsType[*WaitError](err); !ok || we.ExitCode != 137 || we.Status != StatusExited {
			t.Errorf("error %v", err)
		}
	})
	leaktest.Check(t)
}

func TestWaitForDeadlineTellsHowFar(t *testing.T) {
	inBubble(t, func(t *testing.T, cli *Client, e *fakeengine.Engine) {
		c := mustStart(t, cli, spec("hello-sleep"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := c.WaitFor(ctx, LogMatches("ready"))
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "hello") {
			t.Errorf("error %v", err)
		}
	})
}

func TestWaitForExitedAnyEvery(t *testing.T) {
	inBubble(t, func(t *testing.T, cli *Client, e *fakeengine.Engine) {
		c := mustStart(t, cli, healthSpec("sleep"))
		begin := time.Now()
		time.AfterFunc(10*time.Second, func() { c.Kill(t.Context(), "") })
		e.ResetCalls()
		if err := c.WaitFor(t.Context(), Any(Healthy(), Exited()), Every(time.Second)); err != nil || time.Since(begin) > 11*time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		if n := len(e.Calls()); n > 30 {
			t.Errorf("%d requests in 10 s", n)
		}
		err := c.WaitFor(t.Context(), Any(Healthy(), LogMatches("x")))
		if err == nil || !strings.Contains(err.Error(), "healthy") || !strings.Contains(err.Error(), `"x"`) {
			t.Errorf("none can come true: %v", err)
		}
	})
}

// A container with a restart policy may be seen ended between two runs.
func TestWaitForRestarting(t *testing.T) {
	inBubble(t, func(t *testing.T, cli *Client, e *fakeengine.Engine) {
		s := healthSpec("sleep")
		s.RestartPolicy.Name = "always"
		c := mustStart(t, cli, s)
		if err := c.Kill(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		time.AfterFunc(2*time.Second, func() {
			e.SetHealth(c.ID(), Health{Status: HealthHealthy})
			c.Start(t.Context())
		})
		if err := c.WaitFor(t.Context(), Healthy()); err != nil {
			t.Errorf("error %v", err)
		}
		e.SetHealth(c.ID(), Health{Status: HealthStarting})
		c.Kill(t.Context(), "")
		begin := time.Now()
		if _, ok := errors.AsType[*WaitError](c.WaitFor(t.Context(), Healthy())); !ok || time.Since(begin) > restartGrace+time.Second {
			t.Errorf("after %v", time.Since(begin))
		}
	})
}

func TestWaitForInvalid(t *testing.T) {
	cli, e := newFake(t)
	c := cli.container("x")
	for name, conds := range map[string][]Condition{
		"none":          nil,
		"every alone":   {Every(time.Second)},
		"every 0":       {Every(0), Exited()},
		"bad pattern":   {LogMatches("(")},
		"bad port":      {Listening("http")},
		"sctp":          {Listening("1/sctp")},
		"empty any":     {Any()},
		"bad inside":    {Any(LogMatches("("))},
		"port 0":        {Listening("0")},
		"port too high": {Listening("65536")},
	} {
		if err := c.WaitFor(t.Context(), conds...); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(e.Calls()) != 0 {
		t.Errorf("requests: %v", e.Calls())
	}
	if err := c.WaitFor(soon(t), Exited()); !errors.Is(err, ErrNotFound) {
		t.Errorf("a container that does not exist: %v", err)
	}
}

const procNetTCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:0016 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
`

func TestListens(t *testing.T) {
	udp := strings.ReplaceAll(procNetTCP, " 0A ", " 07 ")
	for _, tc := range []struct {
		table, proto string
		port         uint16
		want         bool
	}{
		{procNetTCP, "tcp", 5432, true}, {procNetTCP, "tcp", 80, true}, {procNetTCP, "tcp", 22, false}, {procNetTCP, "tcp", 40000, false},
		{procNetTCP, "udp", 5432, false}, {udp, "udp", 5432, true}, {"", "tcp", 1, false}, {"x y z 0A", "tcp", 1, false},
	} {
		if got := listens([]byte(tc.table), tc.proto, tc.port); got != tc.want {
			t.Errorf("%s port %d: %v", tc.proto, tc.port, got)
		}
	}
}

func FuzzListens(f *testing.F) {
	f.Add([]byte(procNetTCP), uint16(80))
	f.Fuzz(func(t *testing.T, table []byte, port uint16) {
		listens(table, "tcp", port)
		listens(table, "udp", port)
	})
}

// With a cat in the container, its own tables tell.
func TestListeningByExec(t *testing.T) {
	inBubble(t, func(t *testing.T, cli *Client, e *fakeengine.Engine) {
		begin := time.Now()
		e.Programs = map[string]fakeengine.Program{
			"sleep": programs["sleep"],
			"cat": func(p *fakeengine.Proc) int {
				table := procNetTCP
				if time.Since(begin) < 5*time.Second {
					table = table[:strings.IndexByte(table, '\n')+1]
				}
				io.WriteString(p.Stdout, table)
				return 1 // /proc/net/tcp6 is not there
			},
		}
		c := mustStart(t, cli, spec("sleep"))
		if err := c.WaitFor(t.Context(), Listening("5432/tcp")); err != nil || time.Since(begin) > 7*time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
	})
}

// Without one, a connection that stays open tells; one that a proxy accepts and
// closes does not.
func TestListeningByDialling(t *testing.T) {
	leaktest.Check(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var accepted atomic.Int32
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if accepted.Add(1) < 3 {
				conn.Close()
				continue
			}
			defer conn.Close()
		}
	}()
	cli, e := newFake(t)
	e.Programs = map[string]fakeengine.Program{"sleep": programs["sleep"]}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	s := spec("sleep")
	s.Ports = []Port{{Container: "80", Host: port}}
	c, err := cli.Containers.Start(soon(t), s)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.WaitFor(soon(t), Listening("80"), Every(time.Millisecond)); err != nil || accepted.Load() != 3 {
		t.Errorf("after %d connections: %v", accepted.Load(), err)
	}
	for _, port := range []string{"81", "80/udp"} {
		if err := c.WaitFor(soon(t), Listening(port)); err == nil || !strings.Contains(err.Error(), "no way to see it") {
			t.Errorf("%s: %v", port, err)
		}
	}
}
