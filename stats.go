package berth

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/berthdev/berth/engine"
)

// StatsOptions say how to sample.
type StatsOptions struct {
	// Interval between samples of a stream, whole seconds; 0 is one second. Docker always takes one second.
	Interval time.Duration
	// OneShot takes a single reading, for StatsOnce: fast, without CPUPercent.
	OneShot bool
}

// Stats yields samples of the container's use of resources until the container or
// ctx ends. Percentages refer to the sample before; the first may have none.
//
// The iterator is single use. An error comes at most once and last. Leaving the
// loop closes the connection.
func (c *Container) Stats(ctx context.Context, opts ...StatsOptions) iter.Seq2[*Stats, error] {
	return c.cli.stats(ctx, "Container.Stats", []string{c.id}, opts)
}

// StatsOnce takes one sample. Of a running container it has the CPU percentage,
// for which the engine needs a second or two, unless StatsOptions.OneShot.
func (c *Container) StatsOnce(ctx context.Context, opts ...StatsOptions) (*Stats, error) {
	o, err := atMostOne("Container.StatsOnce", opts)
	if err != nil {
		return nil, err
	}
	if o.Interval != 0 {
		return nil, &engine.InvalidError{Option: "StatsOptions.Interval", Value: o.Interval.String(), Reason: "there is one sample"}
	}
	for s, err := range c.cli.e.ContainerStats(ctx, []string{c.id}, engine.StatsOptions{OneShot: o.OneShot}) {
		if err != nil {
			return nil, err
		}
		return &s, nil
	}
	return nil, errors.New("take a sample of " + c.String() + ": the engine gave none")
}

// Stats yields samples of several containers, of each one after another as they
// come (Stats.ID tells whose), until all of them or ctx end. No containers are all
// running ones. See [Container.Stats].
func (s *Containers) Stats(ctx context.Context, list []*Container, opts ...StatsOptions) iter.Seq2[*Stats, error] {
	ids := make([]string, len(list))
	for i, c := range list {
		ids[i] = c.id
	}
	return s.cli.stats(ctx, "Containers.Stats", ids, opts)
}

func (cli *Client) stats(ctx context.Context, call string, ids []string, opts []StatsOptions) iter.Seq2[*Stats, error] {
	o, err := atMostOne(call, opts)
	switch {
	case err != nil:
		return failed[*Stats](err)
	case o.OneShot:
		return failed[*Stats](&engine.InvalidError{Option: "StatsOptions.OneShot", Reason: "for StatsOnce only"})
	case o.Interval < 0 || o.Interval%time.Second != 0:
		return failed[*Stats](&engine.InvalidError{Option: "StatsOptions.Interval", Value: o.Interval.String(), Reason: "not whole seconds"})
	}
	return func(yield func(*Stats, error) bool) {
		for s, err := range cli.e.ContainerStats(ctx, ids, engine.StatsOptions{Stream: true, Interval: o.Interval}) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&s, nil) {
				return
			}
		}
	}
}
