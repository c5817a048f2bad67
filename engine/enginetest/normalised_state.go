package enginetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// normalisedStates are what engines tell of containers in different words, and
// Berth in the same.
func normalisedStates() []Case {
	return []Case{
		{Name: "normalised/states", Do: func(t *T) {
			// The list, the snapshot and the engine's own word, of one container in all its states.
			c := t.Create(t.Sleeper())
			look := func(want berth.Status) {
				t.Helper()
				state := must(c.Inspect(t.Context())).State
				Equal(t, "status", state.Status, want)
				Equal(t, "the engine's word is kept", state.Raw != "", true)
				Equal(t, "running", state.Running(), want == berth.StatusRunning || want == berth.StatusPaused)
				Equal(t, "ended", state.Ended(), want == berth.StatusExited)
				t.eventually("the same in the list", t.listed(c, func(s *berth.Summary) bool { return s.Status == want && s.Raw != "" }))
			}
			look(berth.StatusCreated)
			t.Check(c.Start(t.Context()), "start")
			look(berth.StatusRunning)
			t.Check(c.Pause(t.Context()), "pause")
			look(berth.StatusPaused)
			t.Check(c.Unpause(t.Context()), "unpause")
			t.Check(c.Stop(t.Context()), "stop")
			look(berth.StatusExited)
		}},
		{Name: "normalised/stop-paused", Do: func(t *T) {
			c := t.Start(t.Sleeper())
			t.Check(c.Pause(t.Context()), "pause")
			t.Check(c.Stop(t.Context()), "stop")
			Equal(t, "status", must(c.Status(t.Context())), berth.StatusExited)
		}},
		{Name: "normalised/kill-waits", Do: func(t *T) {
			for range 5 {
				c := t.Start(t.Sleeper())
				t.Check(c.Kill(t.Context(), ""), "kill")
				Equal(t, "status", must(c.Status(t.Context())), berth.StatusExited)
				t.Check(c.Remove(t.Context()), "remove")
			}
		}},
		{Name: "normalised/remove-kills", Do: func(t *T) {
			// Forced, it is a kill at once: the container's StopTimeout is not waited for, nor its signal sent.
			dir := t.hostDir()
			spec := t.Spec("sh", "-c", "trap 'echo >/h/told' TERM; echo ready; while :; do sleep 0.1; done")
			spec.StopTimeout = new(5 * time.Second)
			spec.Mounts = []berth.Mount{berth.Bind(dir, "/h")}
			c := t.Start(spec)
			t.Check(c.WaitFor(t.Context(), berth.LogMatches("ready")), "wait for ready")
			t.Check(c.Remove(t.Context(), berth.RemoveOptions{Force: true}), "remove")
			spec = t.Spec()
			spec.Mounts = []berth.Mount{berth.Bind(dir, "/h")}
			Equal(t, "told to stop", t.Sh(spec, "test -e /h/told && echo yes || echo no"), "no")
		}},
		{Name: "normalised/gone", Do: func(t *T) {
			// What a container that is not there answers is a 404, a 409, a 500 or, for a wait, the exit code 0.
			c := t.Create(t.Sleeper())
			t.Check(c.Remove(t.Context()), "remove")
			ctx := t.Context()
			for what, err := range map[string]error{
				"inspect": errOf(c.Inspect(ctx)), "start": c.Start(ctx), "stop": c.Stop(ctx), "restart": c.Restart(ctx), "kill": c.Kill(ctx, ""), "pause": c.Pause(ctx),
				"unpause": c.Unpause(ctx), "rename": c.Rename(ctx, t.NewName()), "remove": c.Remove(ctx), "wait": errOf(c.Wait(ctx)), "diff": errOf(c.Diff(ctx)),
				"top": errOf(c.Top(ctx)), "logs": errOf(c.CombinedLogs(ctx)), "stats": errOf(c.StatsOnce(ctx)), "stat": errOf(c.StatPath(ctx, "/")), "exec": c.Command("true").Run(ctx),
				"attach": errOf(c.AttachConn(ctx)), "export": errOf(c.Export(ctx)), "commit": errOf(c.Commit(ctx)), "update": errOf(c.Update(ctx, berth.Update{CPUShares: new(int64(10))})),
				"resize": c.Resize(ctx, berth.Size{Rows: 1, Cols: 1}),
			} {
				t.WantError(what, err, berth.ErrNotFound)
			}
		}},
		{Name: "normalised/not-running", Do: func(t *T) {
			c := t.Start(t.Spec("true"))
			_, err := c.Wait(t.Context())
			t.Check(err, "wait")
			ctx := t.Context()
			for what, err := range map[string]error{
				"kill": c.Kill(ctx, ""), "exec": c.Command("true").Run(ctx), "top": errOf(c.Top(ctx)), "attach": errOf(c.AttachConn(ctx)), "pause": c.Pause(ctx),
			} {
				t.WantError(what, err, berth.ErrNotRunning)
			}
			t.Check(c.Stop(ctx), "stop")
		}},
		{Name: "normalised/list-ended", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "exit 3")
			spec.Ports, spec.Expose = []berth.Port{{Container: "80/tcp"}}, []string{"81/tcp"}
			c := t.Start(spec)
			_, err := c.Wait(t.Context())
			t.Check(err, "wait")
			t.eventually("its end in the list", t.listed(c, func(s *berth.Summary) bool {
				return s.ExitCode != nil && *s.ExitCode == 3 && strings.HasPrefix(s.StatusText, "Exited (3)") && !slices.ContainsFunc(s.Ports, published)
			}))
			if list := must(c.Ports(t.Context())); slices.ContainsFunc(list, published) {
				t.Errorf("an ended container has the ports %v", list)
			}
		}},
		{Name: "normalised/list-order", Do: func(t *T) {
			var want, got []string
			for range 5 {
				want = slices.Insert(want, 0, t.Create(t.Sleeper()).ID())
			}
			mine := berth.Filters{"label": {label + ".case=" + t.name, label + "=" + t.s.run}}
			for _, c := range must(t.Client().Containers.List(t.Context(), berth.ListOptions{All: true, Filters: mine})) {
				got = append(got, c.ID())
			}
			Equal(t, "order, newest first", fmt.Sprint(got), fmt.Sprint(want))
		}},
		{Name: "normalised/health", Do: func(t *T) {
			c := t.Create(t.Sleeper())
			Equal(t, "without a check", must(c.Health(t.Context())).Status, berth.HealthNone)
			Equal(t, "in the snapshot", c.Attrs().State.Health == nil, true)
			spec := t.Sleeper()
			spec.Healthcheck = &berth.Healthcheck{Test: berth.CmdShell("echo fine"), Interval: time.Second}
			c = t.Start(spec)
			t.eventually("healthy without anybody's help", func(ctx context.Context) (bool, error) {
				h, err := c.Health(ctx)
				return err == nil && h.Status == berth.HealthHealthy && len(h.Log) > 0 && strings.Contains(h.Log[len(h.Log)-1].Output, "fine"), err
			})
			h := must(c.Inspect(t.Context())).Config.Healthcheck
			// What the Spec leaves open is Docker's default everywhere, though Docker shows a zero.
			if t.Kind() == "podman" && (h.Timeout != 30*time.Second || h.Retries != 3) {
				t.Errorf("timeout %v and %d retries, want 30s and 3", h.Timeout, h.Retries)
			}
		}},
	}
}

// published tells a port with a host's port from one that is exposed only.
func published(p berth.PortBinding) bool { return p.HostPort != 0 }

// listed looks c up in the list, for eventually: a list may lag behind.
func (t *T) listed(c *berth.Container, so func(*berth.Summary) bool) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		list, err := t.Client().Containers.List(ctx, berth.ListOptions{All: true, Filters: berth.Filters{"id": {c.ID()}}})
		if err != nil || len(list) != 1 {
			return false, err
		}
		if !so(list[0].Summary()) {
			return false, fmt.Errorf("the list has %+v", *list[0].Summary())
		}
		return true, nil
	}
}
