package monitor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/cgroup"
	"github.com/berthdev/berth/embedded/internal/events"
	"github.com/berthdev/berth/embedded/internal/launch"
	"github.com/berthdev/berth/embedded/internal/leftover"
	"github.com/berthdev/berth/embedded/internal/network"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/embedded/internal/volume"
	"github.com/berthdev/berth/engine"
)

// lostCode is the exit code of a container whose end nobody saw: the kernel kills it with its monitor.
const lostCode = 137

// Recover records the end of a container whose monitor was killed (state.Snapshot.Lost): what is
// left of it is killed, network and cgroup are removed, exit.json says 137 and MonitorLost. Where the monitor had
// recorded the end already, only what it has left is removed. Recover does nothing when nothing is lost, nor while
// the monitor, which is dying, or somebody who recovers holds its lock: whoever needs it done looks whether there is a run directory.
func (c *Client) Recover(ctx context.Context, id string) error {
	if _, err := os.Lstat(c.Store.RunDir(id)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	alive, err := c.Store.MonitorAlive(id)
	if err != nil || alive {
		return err
	}
	// While we hold the monitor's lock there is none, and nobody else recovers.
	lock, err := c.Store.HoldMonitor(id)
	if errors.Is(err, engine.ErrConflict) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	return c.recover(ctx, id)
}

// recover is Recover with monitor.lock held.
func (c *Client) recover(ctx context.Context, id string) error {
	cfg, err := c.Store.Config(id)
	if errors.Is(err, engine.ErrNotFound) {
		return c.Store.RemoveRun(id)
	}
	if err != nil {
		return err
	}
	run, err := c.Store.ReadRun(id)
	if err != nil {
		return err
	}
	if run != nil {
		killProcess(run)
	}
	if pids, _, _ := strings.Cut(cfg.Spec.PIDMode, ":"); c.Rootless && pids != "" && pids != "private" {
		if err := leftover.Kill(leftover.Rooted(filepath.Join(c.Store.Dir(id), "upper"))); err != nil {
			return err
		}
	}
	if err := c.removeCgroup(ctx, cfg); err != nil {
		return err
	}
	n, err := network.Open(c.Store.Root(), c.Store.RunRoot(), network.Options{Rootless: c.Rootless, Log: c.Log})
	if err != nil {
		return err
	}
	if cfg.Netns == "" || cfg.Netns == "none" {
		if err := release(ctx, n, id); err != nil {
			return err
		}
	}
	if err := c.unmount(ctx, cfg); err != nil {
		return err
	}
	died := false
	if run != nil && lives(run.Status) {
		e := &state.Exit{Code: lostCode, StartedAt: run.StartedAt, FinishedAt: time.Now(), Restarts: run.Restarts}
		if last, err := c.Store.ReadExit(id); err == nil && last != nil && run.Status == engine.StatusRestarting {
			e = last // that end was seen; the restart was not
		} else {
			died = true
		}
		e.MonitorLost = true
		if err := c.Store.WriteExit(id, e); err != nil {
			return err
		}
	}
	if err := c.Store.RemoveRun(id); err != nil {
		return err
	}
	if died {
		code := lostCode
		events.Open(c.Store.Root()).Emit(engine.Event{
			Type: "container", Action: "die", ID: id, Name: cfg.Name, Image: cfg.Image, ExitCode: &code,
			Attributes: map[string]string{"exitCode": strconv.Itoa(code), "image": cfg.Image, "name": cfg.Name},
		})
		if c.Log != nil {
			c.Log.WarnContext(ctx, "the monitor of a container has died, and the container with it", "container", id)
		}
	}
	return nil
}

// release gives back a container's networks. Its dead monitor may hold their lock yet, though not its own any more.
func release(ctx context.Context, n *network.Manager, id string) error {
	for {
		err := n.Release(ctx, id)
		if !errors.Is(err, engine.ErrConflict) {
			return err
		}
		if over := rest(ctx, 5*time.Millisecond); over != nil {
			return errors.Join(over, err)
		}
	}
}

// Sweep removes the cgroup of a container that has no monitor, if it has one: after a stop of the machine it has
// none, but where the run root alone was removed, nobody else knows of it.
func (c *Client) Sweep(ctx context.Context, cfg *state.Config) error {
	if g, err := c.cgroupOf(cfg); g == nil || err != nil {
		return err
	}
	lock, err := c.Store.HoldMonitor(cfg.ID)
	if errors.Is(err, engine.ErrConflict) || errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	return errors.Join(c.removeCgroup(ctx, cfg), c.Store.RemoveRun(cfg.ID))
}

// cgroupOf is a container's cgroup, if it is there.
func (c *Client) cgroupOf(cfg *state.Config) (*cgroup.Group, error) {
	if cfg.Cgroup == "" {
		return nil, nil
	}
	g, err := cgroup.Open(cfg.Cgroup, cgroup.Options{Rootless: c.Rootless})
	if err != nil || !g.Exists() {
		return nil, err
	}
	return g, nil
}

// removeCgroup kills what is in a container's cgroup and removes it. None is no error.
func (c *Client) removeCgroup(ctx context.Context, cfg *state.Config) error {
	g, err := c.cgroupOf(cfg)
	if g == nil || err != nil {
		return err
	}
	if err := g.Kill(); err != nil {
		return err
	}
	return g.Remove(ctx)
}

// lives says that a container of this state had a process.
func lives(s engine.Status) bool {
	switch s {
	case engine.StatusRunning, engine.StatusPaused, engine.StatusStopping, engine.StatusRestarting:
		return true
	}
	return false
}

// killProcess kills a container's first process that has outlived its monitor: one whose
// program has other privileges than the file's owner, which clears the parent-death signal. The start time tells it from another
// process with the same number. It waits for its end, as far as the kernel tells.
func killProcess(run *state.Run) {
	if run.PID <= 0 {
		return
	}
	fd, err := unix.PidfdOpen(run.PID, unix.PIDFD_NONBLOCK)
	if err != nil {
		return
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	defer f.Close()
	if start, err := launch.StartTime(run.PID); err != nil || start != run.StartTime {
		return
	}
	unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
}

// unmount gives back the volumes that the container had mounted.
func (c *Client) unmount(ctx context.Context, cfg *state.Config) error {
	vols, err := volume.Open(filepath.Join(c.Store.Root(), "volumes"))
	if err != nil {
		return err
	}
	for _, m := range cfg.Mounts {
		if m.Name != "" && vols.NeedsMount(m.Name) {
			if err := vols.Unmount(ctx, m.Name, cfg.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
