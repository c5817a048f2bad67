package docker

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// ContainerStats implements [engine.Containers]. Each container has a request and a goroutine of its own, which end with the iteration.
func (e *Engine) ContainerStats(ctx context.Context, ids []string, opts engine.StatsOptions) iter.Seq2[engine.Stats, error] {
	return func(yield func(engine.Stats, error) bool) {
		if err := e.checkStats(opts); err != nil {
			yield(engine.Stats{}, err)
			return
		}
		ids, all := ids, len(ids) == 0
		if all {
			list, err := e.ContainerList(ctx, engine.ListOptions{})
			if err != nil {
				yield(engine.Stats{}, err)
				return
			}
			for _, s := range list {
				ids = append(ids, s.ID)
			}
		}
		e.fanIn(ctx, ids, all, opts, yield)
	}
}

func (e *Engine) checkStats(opts engine.StatsOptions) error {
	r := &refusals{e: e}
	if opts.OneShot && opts.Stream {
		r.invalid("StatsOptions.OneShot", "true", "it excludes Stream")
	}
	r.needs(opts.OneShot, apiOneShot, "StatsOptions.OneShot", "true")
	r.unless(opts.Interval == 0 || opts.Interval == time.Second, "StatsOptions.Interval", opts.Interval.String(), "Docker takes a sample each second")
	return r.err()
}

// sample is a sample or the error that its container's stream ended with.
type sample struct {
	stats engine.Stats
	err   error
}

// fanIn yields the samples of the containers as they come. The first error ends it, but for one of all containers that is gone by now.
func (e *Engine) fanIn(ctx context.Context, ids []string, all bool, opts engine.StatsOptions, yield func(engine.Stats, error) bool) {
	own, cancel := context.WithCancel(ctx)
	samples := make(chan sample)
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			send := func(s sample) bool {
				select {
				case samples <- s:
					return true
				case <-own.Done():
					return false
				}
			}
			err := e.sampleOne(own, id, opts, func(s engine.Stats) bool { return send(sample{stats: s}) })
			if err != nil && !(all && isNotFound(err)) {
				send(sample{err: err})
			}
		})
	}
	go func() {
		wg.Wait()
		close(samples)
	}()
	defer func() {
		cancel()
		for range samples { // until the last goroutine has ended
		}
	}()
	for {
		select {
		case s, ok := <-samples:
			if !ok {
				if err := ctx.Err(); err != nil {
					yield(engine.Stats{}, e.fail(op{"read stats", ""}, contextError(ctx)))
				}
				return
			}
			if !yield(s.stats, s.err) || s.err != nil {
				return
			}
		case <-ctx.Done():
			yield(engine.Stats{}, e.fail(op{"read stats", ""}, contextError(ctx)))
			return
		}
	}
}

// sampleOne yields the samples of one container until it ends, or yield says so.
func (e *Engine) sampleOne(ctx context.Context, id string, opts engine.StatsOptions, yield func(engine.Stats) bool) error {
	path, err := containerPath(id, "/stats")
	if err != nil {
		return err
	}
	query := url.Values{"stream": {"0"}}
	if opts.Stream {
		query.Set("stream", "1")
	}
	if opts.OneShot {
		query.Set("one-shot", "1")
	}
	o := op{"read stats of container", id}
	resp, err := e.stream(ctx, o, wire.Request{Method: http.MethodGet, Path: path, Query: query})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	for raw, err := range wire.Values[json.RawMessage](resp.Body) {
		if err != nil {
			return e.fail(o, err)
		}
		s, err := decodeStats(raw)
		if err != nil {
			return e.fail(o, err)
		}
		if opts.Stream && s.Read.IsZero() {
			// What the engine sends of a container that has no process, once a second for ever. One that comes back keeps its stream.
			if over, err := e.statsOver(ctx, o, id); over || err != nil {
				return err
			}
			continue
		}
		if !yield(s) || !opts.Stream {
			return nil
		}
	}
	return nil
}

// statsOver tells whether a container has ended for good.
func (e *Engine) statsOver(ctx context.Context, o op, id string) (bool, error) {
	c, err := e.inspect(ctx, o.verb, id)
	if isNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	s := state(&c.State)
	return !s.Running() && s.Status != engine.StatusRestarting, nil
}
