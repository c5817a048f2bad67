package embedded

import (
	"context"
	"fmt"
	"iter"
	"os"

	"github.com/berthdev/berth/embedded/internal/cgroup"
	"github.com/berthdev/berth/embedded/internal/leftover"
	"github.com/berthdev/berth/embedded/internal/top"
	"github.com/berthdev/berth/engine"
)

// noCgroups is why an ordinary user's containers have no cgroups of their own; "" where they may have.
func (e *rootless) noCgroups() string {
	g, err := cgroup.Open("berth", cgroup.Options{Rootless: true})
	if err != nil || e.host.CgroupV2 && g.Layout() == cgroup.Unified {
		return ""
	}
	return "an ordinary user's container has no cgroup here: that takes cgroup v2 with a group that is delegated to this user"
}

// ContainerPause implements [engine.Containers].
func (e *rootless) ContainerPause(ctx context.Context, id string) error {
	const op = "pause container"
	why := e.noCgroups()
	if why == "" {
		return e.Engine.ContainerPause(ctx, id)
	}
	s, err := e.snapshot(ctx, op, id)
	if err != nil {
		return err
	}
	if !live(s) {
		return fail(op, id, engine.ErrNotRunning, "container %s is not running", s.Config.Name)
	}
	return unsupported("Container.Pause", "", why)
}

// ContainerStats implements [engine.Containers].
func (e *rootless) ContainerStats(ctx context.Context, ids []string, opts engine.StatsOptions) iter.Seq2[engine.Stats, error] {
	if why := e.noCgroups(); why != "" {
		return func(yield func(engine.Stats, error) bool) {
			for _, id := range ids {
				if _, err := e.find(ctx, opStats, id); err != nil {
					yield(engine.Stats{}, err)
					return
				}
			}
			yield(engine.Stats{}, unsupported("Container.Stats", "", why))
		}
	}
	return e.Engine.ContainerStats(ctx, ids, opts)
}

// ContainerTop implements [engine.Containers]. Without a cgroup a container's processes are those in its PID or mount namespace.
func (e *rootless) ContainerTop(ctx context.Context, id string, opts engine.TopOptions) (*engine.Top, error) {
	const op = "list processes of container"
	why := e.noCgroups()
	if why == "" {
		return e.Engine.ContainerTop(ctx, id, opts)
	}
	s, err := e.snapshot(ctx, op, id)
	if err != nil {
		return nil, err
	}
	if !live(s) {
		return nil, fail(op, id, engine.ErrNotRunning, "container %s is not running", s.Config.Name)
	}
	pids, err := processesOf(s.Run.PID)
	if err != nil {
		return nil, because(ctx, op, id, err)
	}
	t, err := top.Top(pids, opts.Args, userName)
	return t, because(ctx, op, id, err)
}

// processesOf are a container's processes by its first one: those in its PID namespace, or where that is this process's own, in its
// mount namespace.
func processesOf(pid int) ([]int, error) {
	kind := "pid"
	theirs, err := os.Stat(fmt.Sprintf("/proc/%d/ns/pid", pid))
	if err != nil {
		return nil, err
	}
	ours, err := os.Stat("/proc/self/ns/pid")
	if err != nil {
		return nil, err
	}
	if os.SameFile(ours, theirs) {
		kind = "mnt"
	}
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	is, err := leftover.Sharing(ns, kind)
	if err != nil {
		return nil, err
	}
	return leftover.List(is)
}
