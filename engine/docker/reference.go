package docker

import (
	"strings"

	"github.com/berthdev/berth/engine"
)

// reference is an image's name as the API wants it: in two parts.
type reference struct{ name, tag string }

// parseReference splits NAME[:TAG][@DIGEST]; a digest takes the place of the tag, as for docker pull. tag is "" where there is neither.
func parseReference(option, ref string) (reference, error) {
	fail := func(reason string) (reference, error) {
		return reference{}, &engine.InvalidError{Option: option, Value: ref, Reason: reason}
	}
	if strings.HasPrefix(ref, "sha256:") {
		return fail("an image's ID, not a name")
	}
	name, digest, hasDigest := strings.Cut(ref, "@")
	var tag string
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name, tag = name[:i], name[i+1:]
		if tag == "" {
			return fail("the tag is empty")
		}
	}
	if hasDigest {
		if digest == "" {
			return fail("the digest is empty")
		}
		tag = digest
	}
	if name == "" {
		return fail("the name is empty")
	}
	return reference{name, tag}, nil
}
