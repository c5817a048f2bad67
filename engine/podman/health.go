package podman

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
)

// ContainerHealthcheck implements [engine.Containers]. The engine tells the verdict alone; output and exit code are taken from the container's health log, where the run is in it.
func (e *Engine) ContainerHealthcheck(ctx context.Context, id string) (engine.HealthResult, error) {
	o := op{"run health check of container", id}
	start := time.Now()
	var out wireHealth
	err := e.container(ctx, o.verb, id, http.MethodGet, "/healthcheck", nil, nil, &out)
	if err != nil {
		if api, ok := errors.AsType[*engine.APIError](err); ok && strings.Contains(api.Message, "no defined healthcheck") {
			api.Kind = engine.ErrInvalid
		}
		return engine.HealthResult{}, err
	}
	res := engine.HealthResult{Start: start, End: time.Now(), Healthy: out.Status == "healthy"}
	if !res.Healthy {
		res.ExitCode = 1
	}
	w, err := e.inspect(ctx, o, id)
	if err != nil || w.State.Health == nil {
		return res, nil // the check was run all the same
	}
	if log := healthOf(w.State.Health).Log; len(log) > 0 {
		last := log[len(log)-1]
		if last.Healthy == res.Healthy {
			return last, nil
		}
	}
	return res, nil
}

// waitHealth waits for a health. Podman's own wait never ends where its timers do not fire, which are systemd's: the check is run from here, at its interval, unless its log shows that something else runs it.
func (e *Engine) waitHealth(ctx context.Context, o op, w *wireContainer, cond engine.WaitCondition) (engine.Waiter, error) {
	h := healthcheckOf(&w.Config)
	if h == nil || len(h.Test) > 0 && h.Test[0] == "NONE" {
		return nil, &engine.InvalidError{Option: "WaitCondition", Value: string(cond), Reason: "the container has no health check"}
	}
	interval := h.Interval
	if interval <= 0 {
		interval = 30 * time.Second
	}
	id := w.ID
	return newWaiter(ctx, func(ctx context.Context) (engine.Exit, error) {
		var next time.Time // when a check is due
		var seen time.Time // the start of the last run in the log, in the engine's time
		for {
			w, err := e.inspect(ctx, o, id)
			if err != nil {
				return engine.Exit{}, err
			}
			s := e.state(&w.State)
			switch {
			case s.Health != nil && string(s.Health.Status) == string(cond):
				return engine.Exit{Code: -1}, nil
			case s.Ended():
				return engine.Exit{}, &engine.APIError{Engine: Name, Op: o.verb, Object: o.object, Message: "the container has ended", Kind: engine.ErrNotRunning}
			case s.Status != engine.StatusRunning:
				next = time.Time{}
			case next.IsZero():
				next = time.Now() // the first check is due when the container runs
				fallthrough
			default:
				if s.Health != nil && len(s.Health.Log) > 0 {
					if last := s.Health.Log[len(s.Health.Log)-1].Start; !last.Equal(seen) {
						if !seen.IsZero() {
							next = time.Now().Add(interval) // something has run it
						}
						seen = last
					}
				}
				if time.Now().Before(next) {
					break
				}
				next = time.Now().Add(interval)
				if _, err := e.ContainerHealthcheck(ctx, id); err != nil && !errors.Is(err, engine.ErrNotRunning) && !errors.Is(err, engine.ErrConflict) {
					return engine.Exit{}, err
				}
				continue
			}
			if err := e.pause(ctx, o, pollPause); err != nil {
				return engine.Exit{}, err
			}
		}
	}), nil
}
