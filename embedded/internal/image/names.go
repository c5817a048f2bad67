//go:build linux

package image

import (
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/registryauth"
)

// parseName reads a name for an image. Without tag and digest the tag is latest.
func parseName(option, name string) (registryauth.Reference, error) {
	r, err := registryauth.ParseReference(name)
	if err != nil {
		return r, &engine.InvalidError{Option: option, Value: name, Err: err}
	}
	if r.Tag == "" && r.Digest == "" {
		r.Tag = "latest"
	}
	return r, nil
}

// parseTag is parseName for a name that is to be given: it cannot have a digest.
func parseTag(option, name string) (string, error) {
	r, err := parseName(option, name)
	if err != nil {
		return "", err
	}
	if r.Digest != "" {
		return "", &engine.InvalidError{Option: option, Value: name, Reason: "a digest cannot be given"}
	}
	return r.String(), nil
}

// Familiar is a full name as people write it: without what Docker Hub's have at the front.
func Familiar(name string) string {
	rest, ok := strings.CutPrefix(name, "docker.io/")
	if !ok {
		return name
	}
	if short, ok := strings.CutPrefix(rest, "library/"); ok && !strings.Contains(short, "/") {
		return short
	}
	return rest
}

func familiar(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = Familiar(name)
	}
	return out
}

// repositoryOf is a full name without tag and digest.
func repositoryOf(name string) string {
	name, _, _ = strings.Cut(name, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	return name
}
