package berth

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/berthdev/berth/engine"
)

// Healthy holds when the container's health check says healthy. It fails when the
// check says unhealthy, when there is none, and when the container ends. Where
// the engine does not run health checks by itself, Berth does, as
// [Container.Health] tells.
func Healthy() Condition {
	const name = "healthy"
	return Condition{name: name, wait: func(ctx context.Context, w *watch) error {
		return w.until(ctx, func() (bool, error) {
			attrs, err := w.c.healthAttrs(ctx)
			if err != nil {
				return false, err
			}
			if err := w.over(name, attrs); err != nil {
				return false, err
			}
			switch h := healthOf(attrs); {
			case attrs.State.Running() && h.Status == HealthHealthy:
				return true, nil
			case attrs.State.Running() && h.Status == HealthUnhealthy:
				return false, w.fail(name, "it is unhealthy", attrs)
			case attrs.State.Health == nil && !hasHealthcheck(attrs):
				return false, w.fail(name, "it has no health check", attrs)
			default:
				w.note(fmt.Sprintf("it is %s, its health %s", attrs.State.Status, h.Status) + lastResult(h))
			}
			return false, nil
		})
	}}
}

// lastResult is the last result of a health check, for an error.
func lastResult(h Health) string {
	if len(h.Log) == 0 {
		return ""
	}
	last := h.Log[len(h.Log)-1]
	return fmt.Sprintf("; last check: exit code %d, %q", last.ExitCode, last.Output)
}

// Exited holds when the container has run and is over, with whatever code.
func Exited() Condition {
	const name = "over"
	return Condition{name: name, wait: func(ctx context.Context, w *watch) error {
		return w.until(ctx, func() (bool, error) {
			attrs, err := w.c.inspect(ctx, engine.InspectOptions{})
			if err != nil {
				return false, err
			}
			w.note("it is " + string(attrs.State.Status))
			return w.over(name, attrs) != nil, nil
		})
	}}
}

// LogMatches holds when a line of the container's log, of either stream, matches
// the regular expression. It reads the log of the current run from its start on,
// and fails when it ends, as with the container. A log driver that cannot be read
// is an [UnsupportedError].
func LogMatches(pattern string) Condition {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return Condition{err: &engine.InvalidError{Option: "LogMatches", Value: pattern, Err: err}}
	}
	name := fmt.Sprintf("logging %q", pattern)
	return Condition{name: name, wait: func(ctx context.Context, w *watch) error {
		return w.until(ctx, func() (bool, error) {
			attrs, err := w.c.inspect(ctx, engine.InspectOptions{})
			if err != nil {
				return false, err
			}
			if attrs.State.StartedAt.Year() <= 1 {
				return false, nil // never started
			}
			for line, err := range w.c.Logs(ctx, LogOptions{Follow: true, Since: logStart(attrs)}) {
				if err != nil {
					return false, err
				}
				if re.MatchString(line.Text) {
					return true, nil
				}
				w.note("last line of the log: " + line.Text)
			}
			if attrs, err = w.c.inspect(ctx, engine.InspectOptions{}); err != nil {
				return false, err
			}
			return false, w.over(name, attrs)
		})
	}}
}

// logStart is a time before the first line of the container's current run and
// after the last one of the run before; zero when it is the first run. StartedAt
// is none: engines take it after the start.
func logStart(attrs *Attrs) time.Time {
	before := attrs.State.FinishedAt
	if before.Year() > 1 && before.Before(attrs.State.StartedAt) {
		return before
	}
	return time.Time{}
}
