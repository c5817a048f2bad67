package lifetime

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/berthdev/berth"
)

func sleeperThatEnds() berth.Spec { return berth.Spec{Image: image, Command: []string{"true"}} }

func init() {
	// start NAME: starts it, and tells its ID.
	jobs["start"] = func(ctx context.Context, cli *berth.Client, tell func(string), args []string) error {
		c, err := cli.Containers.Start(ctx, sleeper(args[0]))
		if err != nil {
			return err
		}
		tell(c.ID())
		select {} // until it is killed
	}
}

// TestOutlive: a container runs on when the program that has started it is killed; another one finds it, executes in it, and stops it.
func TestOutlive(t *testing.T) {
	w := newWorld(t)
	before := w.settled(t)
	p := w.start(t, "start", "life")
	p.begin()
	id := p.next()
	p.kill()

	cli := w.client(t)
	c, err := cli.Containers.Get(t.Context(), "life")
	if err != nil {
		t.Fatal(err)
	}
	if c.ID() != id {
		t.Errorf("its ID is %s, not %s", c.ID(), id)
	}
	if st, err := c.Status(t.Context()); err != nil || st != berth.StatusRunning {
		t.Errorf("it is %v, %v", st, err)
	}
	out, err := c.Command("cat", "/proc/1/cmdline").Output(t.Context())
	if err != nil || !strings.HasPrefix(string(out), "sleep\x00") {
		t.Errorf("its first process is %q, %v", out, err)
	}
	// A third program stops it, and this one sees it.
	exits := make(chan berth.Exit, 1)
	go func() {
		ex, err := c.Wait(context.WithoutCancel(t.Context()))
		if err != nil {
			t.Error("wait: ", err)
		}
		exits <- ex
	}()
	q := w.start(t, "stop", "life")
	q.begin()
	if kind, text := q.end(); kind != "ok" {
		t.Errorf("stop: %s: %s", kind, text)
	}
	if ex := <-exits; ex.Code != 137 {
		t.Errorf("it has ended with %d", ex.Code)
	}
	if a, err := c.Inspect(t.Context()); err != nil || a.State.Status != berth.StatusExited || a.State.ExitCode != 137 {
		t.Errorf("it is %+v, %v", a, err)
	}
	remove(t, cli, "life")
	w.nothingNew(t, before)
}

func init() {
	jobs["stop"] = func(ctx context.Context, cli *berth.Client, _ func(string), args []string) error {
		c, err := cli.Containers.Get(ctx, args[0])
		if err != nil {
			return err
		}
		return c.Stop(ctx)
	}
	// race NAME STEP: all programs do this to the same container.
	jobs["race"] = func(ctx context.Context, cli *berth.Client, _ func(string), args []string) error {
		if args[1] == "create" {
			_, err := cli.Containers.Create(ctx, sleeper(args[0]))
			return err
		}
		c, err := cli.Containers.Get(ctx, args[0])
		if err != nil {
			return err
		}
		switch args[1] {
		case "start":
			return c.Start(ctx)
		case "exec":
			return c.Command("true").Run(ctx)
		case "pause":
			return c.Pause(ctx)
		case "unpause":
			return c.Unpause(ctx)
		case "stop":
			return c.Stop(ctx)
		case "rename":
			return c.Rename(ctx, args[2])
		}
		return c.Remove(ctx, berth.RemoveOptions{Force: true})
	}
	// life NAME N: a whole life of containers of one's own.
	jobs["life"] = func(ctx context.Context, cli *berth.Client, _ func(string), args []string) error {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		for range n {
			c, err := cli.Containers.Start(ctx, sleeper(args[0]))
			if err != nil {
				return err
			}
			if err := c.Command("true").Run(ctx); err != nil {
				return err
			}
			if err := c.Remove(ctx, berth.RemoveOptions{Force: true}); err != nil {
				return err
			}
		}
		return nil
	}
}

// TestKillPaused: a paused container, which does not die with its monitor since nothing
// in it moves, is ended by the next call.
func TestKillPaused(t *testing.T) {
	w := newWorld(t)
	before := w.settled(t)
	cli := w.client(t)
	c, err := cli.Containers.Start(t.Context(), sleeper("paused"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	pids := monitors(t)
	for _, pid := range pids {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	// A process that dies loses its command line before its locks: it is dead as a zombie whose threads have gone.
	eventually(t, "the end of the monitor", func() error {
		for _, pid := range pids {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			if err != nil {
				continue
			}
			if threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid)); err == nil && len(threads) > 1 {
				return fmt.Errorf("%d has %d threads", pid, len(threads))
			}
			if _, after, _ := strings.Cut(string(stat), ") "); !strings.HasPrefix(after, "Z") {
				return fmt.Errorf("%d is in state %.1s", pid, after)
			}
		}
		return nil
	})
	if a, err := c.Inspect(t.Context()); err != nil || a.State.Status != berth.StatusExited || a.State.ExitCode != 137 {
		t.Errorf("it is %+v, %v", a, err)
	}
	if m := members([]string{c.ID()}); len(m) > 0 {
		t.Errorf("it has processes: %v", m)
	}
	if err := c.Start(t.Context()); err != nil {
		t.Errorf("start it again: %v", err)
	}
	remove(t, cli, "paused")
	w.nothingNew(t, before)
}
