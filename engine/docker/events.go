package docker

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
	"github.com/berthdev/berth/internal/wire"
)

// wireEvent is a value of GET /events.
type wireEvent struct {
	Type   string
	Action string
	Actor  struct {
		ID         string
		Attributes map[string]string
	}
	Scope    string `json:"scope"`
	TimeNano int64  `json:"timeNano"`
}

// Events implements [engine.System].
func (e *Engine) Events(ctx context.Context, opts engine.EventOptions) iter.Seq2[engine.Event, error] {
	return func(yield func(engine.Event, error) bool) {
		o := op{"read events", ""}
		if err := checkEventFilters(opts.Filters); err != nil {
			yield(engine.Event{}, err)
			return
		}
		query, err := filterQuery(opts.Filters)
		if err != nil {
			yield(engine.Event{}, err)
			return
		}
		if !opts.Since.IsZero() {
			query.Set("since", normal.Timestamp(opts.Since))
		}
		if !opts.Until.IsZero() {
			query.Set("until", normal.Timestamp(opts.Until))
		}
		r := get("/events")
		r.Query = query
		resp, err := e.openBody(ctx, o, r)
		if err != nil {
			yield(engine.Event{}, err)
			return
		}
		defer resp.Body.Close()
		for raw, err := range wire.Values[json.RawMessage](resp.Body) {
			if err != nil {
				yield(engine.Event{}, e.fail(o, err))
				return
			}
			ev, err := decodeEvent(raw)
			if err != nil {
				yield(engine.Event{}, e.fail(o, err))
				return
			}
			if !yield(ev, nil) {
				return
			}
		}
		if opts.Until.IsZero() {
			yield(engine.Event{}, e.fail(o, io.ErrUnexpectedEOF))
		}
	}
}

// eventFilters are the keys that the engine knows. It ignores others, here alone of all its lists.
var eventFilters = []string{"config", "container", "daemon", "event", "image", "label", "network", "node", "plugin", "scope", "secret", "service", "type", "volume"}

func checkEventFilters(filters engine.Filters) error {
	for key := range filters {
		if !slices.Contains(eventFilters, key) {
			return &engine.InvalidError{Option: "EventOptions.Filters", Value: key, Reason: "there is no such filter"}
		}
	}
	return nil
}

// decodeEvent is an event in neutral terms. The engine puts what an action is about behind its name ("exec_start: ls -l", "health_status: healthy"); Action is the name alone, and the state of health an attribute.
func decodeEvent(raw json.RawMessage) (engine.Event, error) {
	var w wireEvent
	if err := json.Unmarshal(raw, &w); err != nil {
		return engine.Event{}, err
	}
	ev := engine.Event{
		Type:       w.Type,
		Raw:        w.Action,
		ID:         w.Actor.ID,
		Name:       w.Actor.Attributes["name"],
		Attributes: w.Actor.Attributes,
		Scope:      w.Scope,
		Time:       time.Unix(0, w.TimeNano),
		RawJSON:    raw,
	}
	var about string
	ev.Action, about, _ = strings.Cut(w.Action, ": ")
	if ev.Action == "health_status" && about != "" {
		if ev.Attributes == nil {
			ev.Attributes = map[string]string{}
		}
		ev.Attributes["health_status"] = about
	}
	switch w.Type {
	case "container":
		ev.Image = w.Actor.Attributes["image"]
		if code, err := strconv.Atoi(w.Actor.Attributes["exitCode"]); err == nil {
			ev.ExitCode = &code
		}
	case "volume":
		ev.Name = w.Actor.ID
	}
	return ev, nil
}
