package podman

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// Events implements [engine.System].
func (e *Engine) Events(ctx context.Context, opts engine.EventOptions) iter.Seq2[engine.Event, error] {
	return func(yield func(engine.Event, error) bool) {
		o := op{verb: "listen for events"}
		filters, want := eventFilters(opts.Filters)
		query, err := filterQuery(filters)
		if err != nil {
			yield(engine.Event{}, err)
			return
		}
		query.Set("stream", "true")
		if !opts.Since.IsZero() {
			query.Set("since", opts.Since.Format(time.RFC3339Nano))
		}
		// The engine is not told of Until: it stops to read its log then, however far it has come, and at once when that is past.
		reading, cancel := context.WithCancel(ctx)
		defer cancel()
		past := !opts.Until.IsZero() && !opts.Until.After(time.Now())
		switch {
		case past && opts.Since.IsZero():
			return // nothing of what happens from now on is before Until
		case past:
			query.Set("stream", "false")
			if err := e.pause(ctx, o, time.Until(opts.Until)+eventLag); err != nil {
				yield(engine.Event{}, err)
				return
			}
		case !opts.Until.IsZero():
			defer time.AfterFunc(time.Until(opts.Until)+eventLag, cancel).Stop()
		}
		r := get("/events")
		r.Query = query
		resp, err := e.stream(reading, o, r)
		if err != nil {
			if ctx.Err() != nil || reading.Err() == nil {
				yield(engine.Event{}, err)
			}
			return
		}
		defer resp.Body.Close()
		for text, err := range wire.Values[json.RawMessage](resp.Body) {
			if err != nil {
				if ctx.Err() != nil || reading.Err() == nil {
					yield(engine.Event{}, e.fail(o, err))
				}
				return
			}
			if err, ok := bodyError(o, text); ok {
				yield(engine.Event{}, err)
				return
			}
			ev, err := event(text)
			if err != nil {
				yield(engine.Event{}, e.fail(o, err))
				return
			}
			if want != nil && !want(&ev) || !opts.Until.IsZero() && ev.Time.After(opts.Until) {
				continue
			}
			if !yield(ev, nil) {
				return
			}
		}
		switch {
		case ctx.Err() != nil:
			yield(engine.Event{}, e.fail(o, contextError(ctx)))
		case !past && reading.Err() == nil:
			yield(engine.Event{}, e.fail(o, io.ErrUnexpectedEOF)) // the engine's end, not ours
		}
	}
}

// eventLag is how long after an event Podman may take to tell of it: it looks for new lines of its log every quarter of a second.
const eventLag = time.Second

// action is Podman's own word for what happened.
func action(w *wireEvent) string {
	if w.Action != "" {
		return w.Action
	}
	return w.Status
}

// exitCode is the exit code that an event of an exit tells. 4.x has the attribute, with 0, in every event.
func exitCode(w *wireEvent) (int, bool) {
	for _, key := range []string{"containerExitCode", "exitCode"} {
		if n, err := strconv.Atoi(w.Actor.Attributes[key]); err == nil {
			return n, true
		}
	}
	return 0, false
}

func event(text json.RawMessage) (engine.Event, error) {
	var w wireEvent
	if err := json.Unmarshal(text, &w); err != nil {
		return engine.Event{}, err
	}
	own := action(&w)
	ev := engine.Event{
		Type:       w.Type,
		Action:     commonAction(w.Type, own),
		Raw:        own,
		ID:         w.Actor.ID,
		Name:       w.Actor.Attributes["name"],
		Attributes: w.Actor.Attributes,
		Scope:      w.Scope,
		Time:       w.at(),
		RawJSON:    text,
	}
	if ev.Attributes == nil {
		ev.Attributes = map[string]string{}
	}
	switch w.Type {
	case "container":
		ev.Image = w.Actor.Attributes["image"]
	case "image":
		if ev.ID != "" {
			ev.ID = imageID(ev.ID)
		}
	}
	if ev.Action == "die" {
		if code, ok := exitCode(&w); ok {
			ev.ExitCode = &code
			ev.Attributes["exitCode"] = strconv.Itoa(code)
		}
	}
	if w.HealthStatus != "" && ev.Action == "health_status" {
		ev.Attributes["health_status"] = w.HealthStatus
	}
	return ev, nil
}

// commonActions are the words that all engines use, by type and Podman's word.
func commonAction(kind, own string) string {
	switch own {
	case "died":
		return "die"
	case "exec":
		return "exec_start"
	case "exec_died":
		return "exec_die"
	case "remove":
		if kind == "image" {
			return "delete"
		}
		return "destroy"
	case "loadfromarchive":
		return "load"
	}
	return own
}

// ownActions are Podman's words for one that all engines use.
func ownActions(common string) []string {
	switch common {
	case "die":
		return []string{"died"}
	case "exec_start":
		return []string{"exec"}
	case "exec_die":
		return []string{"exec_died"}
	case "destroy", "delete":
		return []string{"remove"}
	case "load":
		return []string{"loadfromarchive", "load"}
	}
	return []string{common}
}

// eventFilters puts filters into Podman's words, and says which of the events that pass them are wanted: nil is all.
func eventFilters(filters engine.Filters) (engine.Filters, func(*engine.Event) bool) {
	events := filters["event"]
	if len(events) == 0 {
		return filters, nil
	}
	filters = maps.Clone(filters)
	var own []string
	for _, f := range events {
		for _, a := range ownActions(f) {
			if !slices.Contains(own, a) {
				own = append(own, a)
			}
		}
	}
	filters["event"] = own
	return filters, func(ev *engine.Event) bool {
		return slices.Contains(events, ev.Action) || slices.Contains(events, ev.Raw)
	}
}
