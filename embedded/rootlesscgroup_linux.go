package embedded

import (
	"context"
	"iter"
	"os"
	"path/filepath"
	"strconv"

	"github.com/berthdev/berth/embedded/internal/cgroup"
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

// ContainerTop implements [engine.Containers]. Without a cgroup a container's processes are those in its PID namespace.
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
	pids, own, err := sharing(s.Run.PID)
	if err != nil {
		return nil, because(ctx, op, id, err)
	}
	if own {
		return nil, unsupported("Container.Top", "", why+", and this one has the host's PID namespace")
	}
	t, err := top.Top(pids, opts.Args, userName)
	return t, because(ctx, op, id, err)
}

// sharing are the processes in the PID namespace of another one. own says that it is this process's.
func sharing(pid int) (pids []int, own bool, err error) {
	space := func(of string) (string, error) { return os.Readlink(filepath.Join("/proc", of, "ns/pid")) }
	theirs, err := space(strconv.Itoa(pid))
	if err != nil {
		return nil, false, err
	}
	if ours, err := space("self"); err != nil || ours == theirs {
		return nil, err == nil, err
	}
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, false, err
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, false, err
	}
	for _, name := range names {
		n, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		// Those of others, into which we may not look, are not it.
		if s, err := space(name); err == nil && s == theirs {
			pids = append(pids, n)
		}
	}
	return pids, false, nil
}
