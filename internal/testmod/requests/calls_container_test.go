package requests

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// on is a call on a container that make has made.
func on(make func(*world) *berth.Container, do func(*world, *berth.Container) error) func(*world) {
	return func(w *world) {
		c := make(w)
		w.record(func() error { return do(w, c) })
	}
}

func created(w *world) *berth.Container { return w.created(w.spec()) }
func running(w *world) *berth.Container { return w.running(w.spec()) }
func ended(w *world) *berth.Container   { return w.ended() }

func paused(w *world) *berth.Container {
	c := running(w)
	w.must(w.unseen(c).Pause(w.ctx))
	return c
}

// checked has a health check.
func checked(w *world) *berth.Container {
	spec := w.spec()
	spec.Healthcheck = &berth.Healthcheck{Test: berth.CmdShell("true"), Interval: time.Second}
	return w.running(spec)
}

// open has an input that nobody has attached to, and ends with it.
func open(w *world) *berth.Container {
	spec := w.spec("cat")
	spec.OpenStdin, spec.StdinOnce = true, true
	return w.running(spec)
}

func terminal(w *world) *berth.Container {
	spec := w.spec()
	spec.TTY = true
	return w.running(spec)
}

var lifeCalls = []call{
	{"Container.Start", "", on(created, func(w *world, c *berth.Container) error { return c.Start(w.ctx) })},
	{"Container.Init", "", on(created, func(w *world, c *berth.Container) error { return c.Init(w.ctx) })},
	{"Container.Stop", "", on(running, func(w *world, c *berth.Container) error { return c.Stop(w.ctx) })},
	{"Container.Restart", "", on(running, func(w *world, c *berth.Container) error { return c.Restart(w.ctx) })},
	{"Container.Kill", "", on(running, func(w *world, c *berth.Container) error { return c.Kill(w.ctx, "") })},
	{"Container.Pause", "", on(running, func(w *world, c *berth.Container) error { return c.Pause(w.ctx) })},
	{"Container.Unpause", "", on(paused, func(w *world, c *berth.Container) error { return c.Unpause(w.ctx) })},
	{"Container.Rename", "", on(created, func(w *world, c *berth.Container) error { return c.Rename(w.ctx, rig.Name()) })},
	{"Container.Rename", "to its own name", on(created, func(w *world, c *berth.Container) error { return c.Rename(w.ctx, c.Name()) })},
	{"Container.Update", "", on(running, func(w *world, c *berth.Container) error {
		return err2(c.Update(w.ctx, berth.Update{CPUShares: new(int64(512))}))
	})},
	{"Container.Resize", "", on(terminal, func(w *world, c *berth.Container) error { return c.Resize(w.ctx, berth.Size{Rows: 10, Cols: 20}) })},
	{"Container.Wait", "", on(ended, func(w *world, c *berth.Container) error { return err2(c.Wait(w.ctx)) })},
	{"Container.Remove", "", on(created, func(w *world, c *berth.Container) error { return c.Remove(w.ctx) })},
	{"Container.Remove", "with Force", on(running, func(w *world, c *berth.Container) error { return c.Remove(w.ctx, berth.RemoveOptions{Force: true}) })},
	{"Container.Commit", "", func(w *world) {
		c := created(w)
		w.record(func() error {
			img, err := c.Commit(w.ctx)
			if err == nil {
				w.removeImageLater(img.ID())
			}
			return err
		})
	}},
}

var lookCalls = []call{
	{"Container.Inspect", "", on(created, func(w *world, c *berth.Container) error { return err2(c.Inspect(w.ctx)) })},
	{"Container.Reload", "", on(created, func(w *world, c *berth.Container) error { return c.Reload(w.ctx) })},
	{"Container.Status", "", on(created, func(w *world, c *berth.Container) error { return err2(c.Status(w.ctx)) })},
	{"Container.Health", "", on(checked, func(w *world, c *berth.Container) error { return err2(c.Health(w.ctx)) })},
	{"Container.RunHealthcheck", "", on(checked, func(w *world, c *berth.Container) error { return err2(c.RunHealthcheck(w.ctx)) })},
	{"Container.Ports", "", on(running, func(w *world, c *berth.Container) error { return err2(c.Ports(w.ctx)) })},
	{"Container.Addr", "", func(w *world) {
		spec := w.spec()
		spec.NetworkMode, spec.Ports = "", []berth.Port{{Container: "80/tcp"}}
		c := w.running(spec)
		w.record(func() error { return err2(c.Addr(w.ctx, "80/tcp")) })
	}},
	{"Container.Image", "", on(created, func(w *world, c *berth.Container) error { return err2(c.Image(w.ctx)) })},
	{"Container.Diff", "", on(created, func(w *world, c *berth.Container) error { return err2(c.Diff(w.ctx)) })},
	{"Container.Top", "", on(running, func(w *world, c *berth.Container) error { return err2(c.Top(w.ctx)) })},
	{"Container.Top", "with Args", on(running, func(w *world, c *berth.Container) error {
		return err2(c.Top(w.ctx, berth.TopOptions{Args: []string{"-o", "pid,comm"}}))
	})},
	{"Container.TopStream", "", on(running, func(w *world, c *berth.Container) error {
		for _, err := range c.TopStream(w.ctx) {
			return err
		}
		return errors.New("no list")
	})},
	{"Container.Stats", "", on(running, func(w *world, c *berth.Container) error {
		for _, err := range c.Stats(w.ctx) {
			return err
		}
		return errors.New("no sample")
	})},
	{"Container.StatsOnce", "", on(running, func(w *world, c *berth.Container) error { return err2(c.StatsOnce(w.ctx)) })},
	{"Container.StatsOnce", "with OneShot", on(running, func(w *world, c *berth.Container) error {
		return err2(c.StatsOnce(w.ctx, berth.StatsOptions{OneShot: true}))
	})},
	{"Container.WaitFor", "Healthy, each look", on(checked, func(w *world, c *berth.Container) error { return c.WaitFor(w.ctx, berth.Healthy()) })},
	{"Container.WaitFor", "Exited, each look", on(ended, func(w *world, c *berth.Container) error { return c.WaitFor(w.ctx, berth.Exited()) })},
	{"Container.WaitFor", "LogMatches", func(w *world) {
		c := w.running(w.spec("sh", "-c", "echo ready; sleep 3600"))
		w.record(func() error { return c.WaitFor(w.ctx, berth.LogMatches("ready")) })
	}},
	{"Container.WaitFor", "Listening on a local engine, each look", func(w *world) {
		spec := w.spec("nc", "-l", "-p", "80")
		c := w.running(spec)
		w.record(func() error { return c.WaitFor(w.ctx, berth.Listening("80/tcp")) })
	}},
}

var streamCalls = []call{
	{"Container.Attach", "", func(w *world) {
		c := open(w)
		w.record(func() error {
			return c.Attach(w.ctx, berth.AttachOptions{Stdin: bytes.NewReader(nil), Stdout: io.Discard})
		})
	}},
	{"Container.AttachConn", "", on(running, func(w *world, c *berth.Container) error {
		s, err := c.AttachConn(w.ctx)
		if err != nil {
			return err
		}
		return s.Close()
	})},
	{"Container.Logs", "", on(ended, func(w *world, c *berth.Container) error {
		for _, err := range c.Logs(w.ctx) {
			if err != nil {
				return err
			}
		}
		return nil
	})},
	{"Container.Logs", "with Follow", on(ended, func(w *world, c *berth.Container) error {
		for _, err := range c.Logs(w.ctx, berth.LogOptions{Follow: true}) {
			if err != nil {
				return err
			}
		}
		return nil
	})},
	{"Container.LogsTo", "", on(ended, func(w *world, c *berth.Container) error { return c.LogsTo(w.ctx, io.Discard, io.Discard) })},
	{"Container.CombinedLogs", "", on(ended, func(w *world, c *berth.Container) error { return err2(c.CombinedLogs(w.ctx)) })},
}
