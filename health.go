package berth

import (
	"context"
	"sync"
	"time"

	"github.com/berthdev/berth/engine"
)

// defaultHealthInterval is what an engine takes for Healthcheck.Interval when
// neither the image nor the Spec has one.
const defaultHealthInterval = 30 * time.Second

// Health asks the engine for the container's health and its last results. A
// container without a health check is HealthNone.
//
// Some engines do not run health checks by themselves (Podman without systemd).
// There Health runs the check of a running container itself, at most once an
// interval, before it answers.
func (c *Container) Health(ctx context.Context) (Health, error) {
	attrs, err := c.healthAttrs(ctx)
	if err != nil {
		return Health{}, err
	}
	return healthOf(attrs), nil
}

// RunHealthcheck runs the container's health check now and returns its result. A
// container without a check, or that does not run, is an error.
func (c *Container) RunHealthcheck(ctx context.Context) (HealthResult, error) {
	res, err := c.cli.e.ContainerHealthcheck(ctx, c.id)
	return res, c.mutate(ctx, err)
}

// healthOf is the health that a snapshot shows.
func healthOf(attrs *Attrs) Health {
	if attrs.State.Health == nil {
		return Health{Status: HealthNone}
	}
	h := *attrs.State.Health
	if h.Status == "" {
		h.Status = HealthNone
	}
	return h
}

// healthAttrs is a new snapshot, after a run of the health check where it is ours
// to run and is due.
func (c *Container) healthAttrs(ctx context.Context) (*Attrs, error) {
	attrs, err := c.inspect(ctx, engine.InspectOptions{})
	if err != nil || c.cli.e.Supports(engine.FeatureHealthTimer) {
		return attrs, err
	}
	if attrs.State.Status != StatusRunning || !hasHealthcheck(attrs) {
		return attrs, nil
	}
	if !c.health.due(attrs, time.Now()) {
		return attrs, nil
	}
	if _, err := c.cli.e.ContainerHealthcheck(ctx, c.id); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		// The container may have ended meanwhile: what it is now tells.
		c.cli.log.DebugContext(ctx, "run health check", "container", c.id, "error", err)
	}
	return c.inspect(ctx, engine.InspectOptions{})
}

// hasHealthcheck tells whether the container has a check to run.
func hasHealthcheck(attrs *Attrs) bool {
	h := attrs.Config.Healthcheck
	return h != nil && len(h.Test) > 0 && h.Test[0] != "NONE"
}

// healthDriver remembers when a container's check was last run by us.
type healthDriver struct {
	mu      sync.Mutex
	last    time.Time // by our clock
	started time.Time // State.StartedAt of that run of the container
}

// due tells whether a check is to be run now, and takes the turn.
func (d *healthDriver) due(attrs *Attrs, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	first := !d.started.Equal(attrs.State.StartedAt)
	if !first && now.Sub(d.last) < healthInterval(attrs, now) {
		return false
	}
	d.last, d.started = now, attrs.State.StartedAt
	return true
}

// healthInterval is the time between two checks: StartInterval, where there is
// one, during StartPeriod.
func healthInterval(attrs *Attrs, now time.Time) time.Duration {
	h := attrs.Config.Healthcheck
	if h.StartInterval > 0 && h.StartPeriod > 0 && now.Sub(attrs.State.StartedAt) < h.StartPeriod {
		return h.StartInterval
	}
	if h.Interval > 0 {
		return h.Interval
	}
	return defaultHealthInterval
}
