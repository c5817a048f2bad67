package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
)

// freezerFile is the file that freezes, and what to write to it; "" where there is none.
func (g *Group) freezerFile(frozen bool) (path, text string) {
	if d := g.with("freezer"); d != nil {
		if frozen {
			return d.path + "/freezer.state", "FROZEN"
		}
		return d.path + "/freezer.state", "THAWED"
	}
	if d := g.v2(); d != nil {
		if frozen {
			return d.path + "/cgroup.freeze", "1"
		}
		return d.path + "/cgroup.freeze", "0"
	}
	return "", ""
}

// Freeze stops all processes of the group, and returns when they have stopped. If ctx ends before, they are thawed again.
func (g *Group) Freeze(ctx context.Context) error {
	err := g.freeze(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = errors.Join(err, g.writeFreezer(false))
	}
	return err
}

func (g *Group) freeze(ctx context.Context) error {
	path, text := g.freezerFile(true)
	if path == "" {
		return &engine.UnsupportedError{Option: "Container.Pause", Engine: engineName, Reason: "there is no cgroup controller freezer here, nor cgroup v2"}
	}
	if err := write(path, text); err != nil {
		return fmt.Errorf("freeze: %w", err)
	}
	return g.awaitFrozen(ctx, true)
}

// Thaw lets the processes go on, and returns when they do.
func (g *Group) Thaw(ctx context.Context) error {
	path, text := g.freezerFile(false)
	if path == "" {
		return nil
	}
	if err := write(path, text); err != nil {
		return fmt.Errorf("thaw: %w", err)
	}
	return g.awaitFrozen(ctx, false)
}

// Frozen says whether all processes of the group stand still.
func (g *Group) Frozen() (bool, error) {
	if d := g.with("freezer"); d != nil {
		state, err := read(d.path + "/freezer.state")
		return state == "FROZEN", err
	}
	if d := g.v2(); d != nil {
		events, err := read(d.path + "/cgroup.events")
		return strings.Contains(events, "frozen 1"), err
	}
	return false, nil
}

// awaitFrozen waits until the kernel says that the state is reached. v2 tells when
// its file changes; v1 must be asked again, and after a while told again: a process
// that forked at the wrong moment can keep it in FREEZING (opencontainers/runc#2105). One that was in
// execve with other threads does so for ever, since it waits for these to end and they are
// frozen: the group is thawed in between.
func (g *Group) awaitFrozen(ctx context.Context, want bool) error {
	path, text := g.freezerFile(want)
	v1 := g.with("freezer") != nil
	wait := 50 * time.Microsecond
	for round := 1; ; round++ {
		frozen, err := g.Frozen()
		if err != nil || frozen == want {
			return err
		}
		if v1 && round%10 == 0 {
			if want && round%20 == 0 {
				if err := g.writeFreezer(false); err != nil {
					return err
				}
				if err := sleep(ctx, time.Millisecond); err != nil {
					return err
				}
			}
			if err := write(path, text); err != nil {
				return err
			}
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
		wait = min(2*wait, 10*time.Millisecond)
	}
}

// sleep waits, or returns ctx's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
