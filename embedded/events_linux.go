package embedded

import (
	"context"
	"iter"
	"maps"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// Events implements [engine.System].
func (e *Engine) Events(ctx context.Context, opts engine.EventOptions) iter.Seq2[engine.Event, error] {
	return e.events.Events(ctx, opts)
}

// containerEvent tells of something that happened to a container. What happens
// to one with a monitor the monitor tells.
func (e *Engine) containerEvent(action string, cfg *state.Config, attributes map[string]string) {
	attrs := cfg.Labels()
	maps.Copy(attrs, attributes)
	attrs["name"], attrs["image"] = cfg.Name, cfg.Image
	e.emit(engine.Event{Type: "container", Action: action, ID: cfg.ID, Name: cfg.Name, Image: cfg.Image, Attributes: attrs})
}
