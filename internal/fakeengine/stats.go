package fakeengine

import (
	"context"
	"iter"
	"time"

	"github.com/berthdev/berth/engine"
)

// ContainerStats implements engine.Engine: a sample of each container in turn,
// whose CPU total counts the samples, as long as the first one runs.
func (e *Engine) ContainerStats(ctx context.Context, ids []string, o engine.StatsOptions) iter.Seq2[engine.Stats, error] {
	return func(yield func(engine.Stats, error) bool) {
		for n := uint64(1); ; n++ {
			for _, id := range ids {
				c, err := e.open(ctx, "ContainerStats", id)
				if err != nil {
					yield(engine.Stats{}, err)
					return
				}
				s := engine.Stats{ID: c.id, Read: time.Now(), CPU: engine.CPUStats{Total: n}}
				if !o.OneShot {
					s.CPUPercent = new(float64(n))
				}
				if !yield(s, nil) {
					return
				}
			}
			c := e.find(ids[0])
			if !o.Stream || c == nil {
				return
			}
			select {
			case <-time.After(max(o.Interval, time.Second)):
			case <-c.ended():
				return
			case <-ctx.Done():
				yield(engine.Stats{}, ctx.Err())
				return
			}
		}
	}
}

// ended is closed when the container's current run has ended.
func (c *container) ended() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.exit
}

// ContainerTop implements engine.Engine.
func (e *Engine) ContainerTop(ctx context.Context, id string, o engine.TopOptions) (*engine.Top, error) {
	c, err := e.open(ctx, "ContainerTop", id)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.state.Running() {
		return nil, apiError("list processes", id, engine.ErrNotRunning, "container is not running")
	}
	return &engine.Top{Titles: []string{"PID"}, Rows: [][]string{{"1"}}}, nil
}
