package embedded

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// ContainerPrune implements [engine.Containers]. The filters are label, label! and until.
func (e *Engine) ContainerPrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	const op = "prune containers"
	var report engine.PruneReport
	chosen, err := pruned(filters)
	if err != nil {
		return report, err
	}
	list, err := e.all(ctx)
	if err != nil {
		return report, because(ctx, op, "", err)
	}
	var errs []error
	for _, s := range list {
		if err := ctx.Err(); err != nil {
			return report, because(ctx, op, "", err)
		}
		if busy(s) || s.Err != nil || !chosen(s.Config) {
			continue
		}
		size, _, err := e.sizes(ctx, s.Config)
		if err == nil {
			err = e.remove(ctx, s, engine.RemoveOptions{})
		}
		switch {
		case err == nil:
			report.Deleted = append(report.Deleted, s.Config.ID)
			report.Reclaimed += size
		case errors.Is(err, engine.ErrNotFound), errors.Is(err, engine.ErrConflict):
			// Removed, or started, meanwhile.
		default:
			if report.Errors == nil {
				report.Errors = map[string]error{}
			}
			report.Errors[s.Config.ID] = err
			errs = append(errs, fmt.Errorf("container %s: %w", s.Config.Name, err))
		}
	}
	return report, because(ctx, op, "", errors.Join(errs...))
}

// pruned tells which containers the filters of a prune choose.
func pruned(filters engine.Filters) (func(*state.Config) bool, error) {
	var before time.Time
	for key, values := range filters {
		switch key {
		case "label", "label!":
		case "until":
			for _, v := range values {
				t, err := engine.ParseTime(v)
				if err != nil {
					return nil, err
				}
				if before.IsZero() || t.Before(before) {
					before = t
				}
			}
		default:
			return nil, &engine.InvalidError{Option: "filter", Value: key, Reason: "want label, label! or until"}
		}
	}
	return func(cfg *state.Config) bool {
		if !before.IsZero() && !cfg.Created.Before(before) {
			return false
		}
		for _, want := range filters["label"] {
			if !labelled(cfg, want) {
				return false
			}
		}
		for _, not := range filters["label!"] {
			if labelled(cfg, not) {
				return false
			}
		}
		return true
	}, nil
}

// labelled tells whether a container has a label KEY or KEY=VALUE, its own or its image's.
func labelled(cfg *state.Config, want string) bool {
	key, value, exact := strings.Cut(want, "=")
	have, ok := cfg.Label(key)
	return ok && (!exact || have == value)
}
