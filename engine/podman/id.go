package podman

import (
	"strings"
	"unicode"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// op is what was asked of the engine, and of which object: for errors.
type op struct{ verb, object string }

// checkName refuses what cannot be the name or ID of an object of kind ("container", "network", …): a segment of a path must not become another path. One leading slash, as
// Docker shows container names, is taken off.
func checkName(kind, id string) (string, error) {
	name := strings.TrimPrefix(id, "/")
	switch {
	case name == "":
		return "", &engine.InvalidError{Option: kind, Value: id, Reason: "the name or ID is empty"}
	case strings.Contains(name, "/") || name == "." || strings.Contains(name, ".."):
		return "", &engine.InvalidError{Option: kind, Value: id, Reason: "a path is neither a name nor an ID"}
	case strings.ContainsFunc(name, unicode.IsControl):
		return "", &engine.InvalidError{Option: kind, Value: id, Reason: "it has control characters"}
	case strings.Contains(name, "%"): // no name has it, and Podman unescapes what it gets twice
		return "", &engine.InvalidError{Option: kind, Value: id, Reason: "it has a percent sign"}
	}
	return name, nil
}

// containerPath is the path of a container's endpoint: /containers/ID + suffix.
func containerPath(id, suffix string) (string, error) {
	return objectPath("container", "/containers/", id, suffix)
}

func objectPath(kind, prefix, id, suffix string) (string, error) {
	name, err := checkName(kind, id)
	if err != nil {
		return "", err
	}
	return prefix + wire.Escape(name) + suffix, nil
}

// imagePath is the path of an image's endpoint: /images/REF + suffix. A reference has slashes of its own, which Podman takes raw.
func imagePath(ref, suffix string) (string, error) {
	if err := checkReference(ref); err != nil {
		return "", err
	}
	segments := strings.Split(ref, "/")
	for i, s := range segments {
		segments[i] = wire.Escape(s)
	}
	return "/images/" + strings.Join(segments, "/") + suffix, nil
}

// checkReference refuses what cannot be an image's name or ID; the rest is the engine's to judge.
func checkReference(ref string) error {
	if ref == "" {
		return &engine.InvalidError{Option: "image", Reason: "the reference is empty"}
	}
	for s := range strings.SplitSeq(ref, "/") {
		if s == "" || s == "." || s == ".." || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
			return &engine.InvalidError{Option: "image", Value: ref, Reason: "not a reference"}
		}
	}
	return nil
}
