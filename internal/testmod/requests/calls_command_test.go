package requests

import (
	"context"
	"errors"
	"io"

	"github.com/berthdev/berth"
)

var commandCalls = []call{
	{"Cmd.Run", "", on(running, func(w *world, c *berth.Container) error { return c.Command("true").Run(w.ctx) })},
	{"Cmd.Run", "an exit code other than 0", on(running, func(w *world, c *berth.Container) error {
		return exitCode(1)(c.Command("false").Run(w.ctx))
	})},
	{"Cmd.Run", "a command that is missing", on(running, func(w *world, c *berth.Container) error {
		return exitCode(127)(c.Command("/nosuch").Run(w.ctx))
	})},
	{"Cmd.Run", "with a terminal and its Size", on(running, func(w *world, c *berth.Container) error {
		cmd := c.Command("true")
		cmd.TTY, cmd.Size = true, berth.Size{Rows: 10, Cols: 20}
		return cmd.Run(w.ctx)
	})},
	{"Cmd.Output", "", on(running, func(w *world, c *berth.Container) error { return err2(c.Command("true").Output(w.ctx)) })},
	{"Cmd.CombinedOutput", "", on(running, func(w *world, c *berth.Container) error { return err2(c.Command("true").CombinedOutput(w.ctx)) })},
	{"Cmd.Start", "and Wait", on(running, func(w *world, c *berth.Container) error {
		cmd := c.Command("true")
		return errors.Join(cmd.Start(w.ctx), cmd.Wait())
	})},
	{"Cmd.Start", "with Detach, and Wait", on(running, func(w *world, c *berth.Container) error {
		cmd := c.Command("true")
		cmd.Detach = true
		return errors.Join(cmd.Start(w.ctx), cmd.Wait())
	})},
	{"Cmd.Conn", "and Wait", on(running, func(w *world, c *berth.Container) error {
		cmd := c.Command("true")
		s, err := cmd.Conn(w.ctx)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, s)
		return errors.Join(err, s.Close(), cmd.Wait())
	})},
	{"Cmd.Run", "cancelled, on a local engine", func(w *world) {
		c := running(w)
		seen := w.unseen(c)
		cmd := c.Command("sleep", "3600")
		ctx, cancel := context.WithCancel(w.ctx)
		defer cancel()
		w.record(func() error {
			if err := cmd.Start(ctx); err != nil {
				return err
			}
			w.await(func() bool { top, err := seen.Top(w.ctx); return err == nil && len(top.Rows) == 2 })
			cancel()
			if err := cmd.Wait(); !errors.Is(err, context.Canceled) || errors.Is(err, berth.ErrUnsupported) {
				return errors.New("not cancelled: " + errText(err))
			}
			return nil
		})
	}},
	{"Cmd.Kill", "on a local engine", func(w *world) { w.started(func(cmd *berth.Cmd) error { return cmd.Kill(w.ctx, "") }, false) }},
	{"Cmd.Inspect", "", func(w *world) { w.started(func(cmd *berth.Cmd) error { return err2(cmd.Inspect(w.ctx)) }, false) }},
	{"Cmd.Resize", "", func(w *world) {
		w.started(func(cmd *berth.Cmd) error { return cmd.Resize(w.ctx, berth.Size{Rows: 10, Cols: 20}) }, true)
	}},
}

// started records a call on a command that runs.
func (w *world) started(do func(*berth.Cmd) error, tty bool) {
	w.t.Helper()
	c := running(w)
	cmd := c.Command("sleep", "3600")
	cmd.TTY = tty
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	w.must(cmd.Start(ctx))
	w.await(func() bool { st, err := cmd.Inspect(w.ctx); return err == nil && st.Running })
	w.record(func() error { return do(cmd) })
	cancel()
	cmd.Wait()
}
