package embedded

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/cgroup"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

const opStats = "read stats of container"

// ContainerStats implements [engine.Containers]. It reads the counters of all containers at the same times.
func (e *Engine) ContainerStats(ctx context.Context, ids []string, opts engine.StatsOptions) iter.Seq2[engine.Stats, error] {
	return func(yield func(engine.Stats, error) bool) {
		r := &sampler{e: e, interval: opts.Interval, yield: yield}
		if err := r.check(opts); err != nil {
			yield(engine.Stats{}, err)
			return
		}
		if err := r.open(ctx, ids); err != nil {
			yield(engine.Stats{}, because(ctx, opStats, "", err))
			return
		}
		var err error
		if opts.Stream {
			err = r.stream(ctx)
		} else {
			err = r.once(ctx, opts.OneShot)
		}
		if err != nil {
			yield(engine.Stats{}, because(ctx, opStats, "", err))
		}
	}
}

// sampler is one iteration over the samples of some containers.
type sampler struct {
	e        *Engine
	interval time.Duration
	yield    func(engine.Stats, error) bool
	list     []*sampled
}

// sampled is a container that is sampled.
type sampled struct {
	id   string
	last *engine.Stats // the sample before, nil when there is none
}

func (r *sampler) check(opts engine.StatsOptions) error {
	switch {
	case opts.OneShot && opts.Stream:
		return &engine.InvalidError{Option: "StatsOptions.OneShot", Value: "true", Reason: "it excludes Stream"}
	case opts.Interval < 0 || opts.Interval%time.Second != 0:
		return &engine.InvalidError{Option: "StatsOptions.Interval", Value: opts.Interval.String(), Reason: "want whole seconds"}
	case opts.Interval == 0:
		r.interval = time.Second
	}
	return nil
}

// open finds the containers: those that run when none is named.
func (r *sampler) open(ctx context.Context, ids []string) error {
	for _, ref := range ids {
		id, err := r.e.find(ctx, opStats, ref)
		if err != nil {
			return err
		}
		r.list = append(r.list, &sampled{id: id})
	}
	if len(ids) > 0 {
		return nil
	}
	all, err := r.e.all(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		if live(s) {
			r.list = append(r.list, &sampled{id: s.Config.ID})
		}
	}
	return nil
}

// once gives one sample of each container, over two readings unless oneShot is set. That of a container that does not run is empty.
func (r *sampler) once(ctx context.Context, oneShot bool) error {
	if !oneShot {
		running := false
		for _, c := range r.list {
			if s, _, err := r.read(ctx, c); err != nil {
				return err
			} else if !s.Read.IsZero() {
				c.last, running = &s, true
			}
		}
		if running {
			if err := sleep(ctx, r.interval); err != nil {
				return err
			}
		}
	}
	for _, c := range r.list {
		s, _, err := r.read(ctx, c)
		if err != nil {
			return err
		}
		if !r.yield(s, nil) {
			return nil
		}
	}
	return nil
}

// stream gives samples until all containers have ended.
func (r *sampler) stream(ctx context.Context) error {
	tick := time.NewTicker(r.interval)
	defer tick.Stop()
	for {
		kept := r.list[:0]
		for _, c := range r.list {
			s, over, err := r.read(ctx, c)
			if err != nil {
				return err
			}
			if over {
				continue
			}
			kept = append(kept, c)
			if s.Read.IsZero() {
				c.last = nil // between two runs
				continue
			}
			if !r.yield(s, nil) {
				return nil
			}
			c.last = &s
		}
		if r.list = kept; len(kept) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// read takes a sample of a container. Its Read is zero when it does not run; over says that it will not again by itself.
func (r *sampler) read(ctx context.Context, c *sampled) (st engine.Stats, over bool, err error) {
	s, err := r.e.state(ctx, c.id)
	if errors.Is(err, engine.ErrNotFound) {
		return engine.Stats{ID: c.id}, true, nil
	}
	if err != nil {
		return st, false, err
	}
	if !live(s) {
		st = engine.Stats{ID: c.id, Name: s.Config.Name}
		err := setRaw(&st)
		return st, !busy(s), err
	}
	st, err = r.e.sample(s)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENODEV) {
		// Its processes or its cgroup have gone, and the monitor has yet to say so.
		st = engine.Stats{ID: c.id, Name: s.Config.Name}
		err := setRaw(&st)
		return st, false, err
	}
	if err != nil {
		return st, false, err
	}
	if last := c.last; last != nil {
		st.PreRead, st.PreCPU = last.Read, last.CPU
		st.CPUPercent = normal.CPUPercent(last.CPU, st.CPU)
	}
	err = setRaw(&st)
	return st, false, err
}

// sample reads the counters of a container that runs.
func (e *Engine) sample(s *state.Snapshot) (engine.Stats, error) {
	g, err := e.group(s.Config)
	if err != nil {
		return engine.Stats{}, err
	}
	st, err := g.Stats()
	if err != nil {
		return st, err
	}
	if st.Read.IsZero() {
		st.Read = time.Now()
	}
	if st.CPU.System == nil {
		ns, cpus, err := cgroup.System()
		if err != nil {
			return st, err
		}
		st.CPU.System, st.CPU.OnlineCPUs = &ns, cpus
	}
	if s.Config.Netns == "" {
		if st.Networks, err = cgroup.Network(s.Run.PID); err != nil {
			return st, err
		}
	}
	st.ID, st.Name = s.Config.ID, s.Config.Name
	return st, nil
}

// group is the cgroup of a container.
func (e *Engine) group(cfg *state.Config) (*cgroup.Group, error) {
	return cgroup.Open(cfg.Cgroup, cgroup.Options{Rootless: e.host.Rootless})
}

// sleep waits for d, or the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
