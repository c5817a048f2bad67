package events

import (
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
)

// filterKeys are Docker's.
var filterKeys = []string{"config", "container", "daemon", "event", "image", "label", "network", "node", "plugin", "scope", "secret", "service", "type", "volume"}

func checkFilters(filters engine.Filters) error {
	for key := range filters {
		if !slices.Contains(filterKeys, key) {
			return &engine.InvalidError{Option: "EventOptions.Filters", Value: key, Reason: "there is no such filter"}
		}
	}
	return nil
}

// match tells that every key matches, by Docker's rules (moby, daemon/events/filter.go): with any of its values, labels with all.
func match(filters engine.Filters, ev *engine.Event) bool {
	for key, values := range filters {
		if len(values) == 0 {
			continue
		}
		test := func(v string) bool { return matchOne(key, v, ev) }
		switch {
		case key == "label" && slices.ContainsFunc(values, func(v string) bool { return !test(v) }):
			return false
		case !slices.ContainsFunc(values, test):
			return false
		}
	}
	return true
}

func matchOne(key, v string, ev *engine.Event) bool {
	switch key {
	case "type":
		return ev.Type == v
	case "scope":
		return ev.Scope == v
	case "event":
		name, about, has := strings.Cut(v, ": ") // "health_status: healthy", Docker's own word
		return ev.Action == name && (!has || ev.Attributes[name] == about)
	case "label":
		name, value, has := strings.Cut(v, "=")
		got, ok := ev.Attributes[name]
		return ok && (!has || got == value)
	case "image":
		name := ev.Image
		if ev.Type == "image" {
			name = ev.Name
		}
		return ev.Type == "image" && (ev.ID == v || withoutTag(ev.ID) == v) || name != "" && (name == v || withoutTag(name) == v)
	}
	// An object of that type, by the start of its ID or name.
	return ev.Type == key && (strings.HasPrefix(ev.ID, v) || strings.HasPrefix(ev.Name, v))
}

// withoutTag is an image's name without tag or digest.
func withoutTag(name string) string {
	name, _, _ = strings.Cut(name, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		return name[:i]
	}
	return name
}
