package events

import (
	"encoding/json"
	"maps"
	"strconv"
	"time"

	"github.com/berthdev/berth/engine"
)

// wireEvent is a line of the file: an event as Docker's API has it.
type wireEvent struct {
	Type   string
	Action string
	Actor  wireActor
	Scope  string `json:"scope"`
	Time   int64  `json:"time"`
	Nano   int64  `json:"timeNano"`
}

type wireActor struct {
	ID         string
	Attributes map[string]string
}

// encode returns ev's line.
func encode(ev *engine.Event) ([]byte, error) {
	attrs := make(map[string]string, len(ev.Attributes)+3)
	maps.Copy(attrs, ev.Attributes)
	if ev.Name != "" && ev.Type != "volume" {
		attrs["name"] = ev.Name
	}
	if ev.Image != "" {
		attrs["image"] = ev.Image
	}
	if ev.ExitCode != nil {
		attrs["exitCode"] = strconv.Itoa(*ev.ExitCode)
	}
	line, err := json.Marshal(wireEvent{
		Type: ev.Type, Action: ev.Action, Actor: wireActor{ev.ID, attrs}, Scope: "local", Time: ev.Time.Unix(), Nano: ev.Time.UnixNano(),
	})
	return append(line, '\n'), err
}

// decode reads a line without its end; false for what is no event: the header, or what is left of a write that was cut short.
func decode(line []byte) (engine.Event, bool) {
	var w wireEvent
	if json.Unmarshal(line, &w) != nil || w.Type == "" {
		return engine.Event{}, false
	}
	ev := engine.Event{
		Type: w.Type, Action: w.Action, Raw: w.Action, ID: w.Actor.ID, Name: w.Actor.Attributes["name"],
		Attributes: w.Actor.Attributes, Scope: w.Scope, Time: time.Unix(0, w.Nano), RawJSON: json.RawMessage(line),
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
	return ev, true
}
