package registryauth

import (
	"cmp"
	"fmt"
	"strings"
)

// Docker Hub's names. The first is what references have, the second the key
// under which docker keeps its credentials.
const (
	hubHost   = "docker.io"
	hubServer = "https://index.docker.io/v1/"
)

// maxName is the longest name of a repository, without host and tag.
const maxName = 255

// Reference is an image reference in its parts.
type Reference struct {
	Host       string // registry, "docker.io" when the reference has none
	Repository string // "library/busybox"
	Tag        string // "" when there is none
	Digest     string // "sha256:…", "" when there is none
}

// String is the full form of the reference.
func (r Reference) String() string {
	s := r.Host + "/" + r.Repository
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest
	}
	return s
}

// RegistryOf splits an image reference without judging it. Of a tag and a
// digest the digest is returned, as it is what decides.
func RegistryOf(image string) (host, repository, tagOrDigest string) {
	r := split(image)
	return r.Host, r.Repository, cmp.Or(r.Digest, r.Tag)
}

// split applies docker's rules: what is before the first slash is a host if it
// has a dot or a colon or an upper-case letter, or is "localhost"; otherwise
// the host is Docker Hub, where a name without a slash is in "library".
func split(image string) Reference {
	var r Reference
	name := image
	if i := strings.IndexByte(name, '@'); i >= 0 {
		name, r.Digest = name[:i], name[i+1:]
	}
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name, r.Tag = name[:i], name[i+1:]
	}
	r.Host, r.Repository = hubHost, name
	if first, rest, ok := strings.Cut(name, "/"); ok && isHost(first) {
		r.Host, r.Repository = first, rest
	}
	if r.Host == "index.docker.io" {
		r.Host = hubHost
	}
	if r.Host == hubHost && !strings.Contains(r.Repository, "/") {
		r.Repository = "library/" + r.Repository
	}
	return r
}

func isHost(s string) bool {
	return strings.ContainsAny(s, ".:") || s == "localhost" || strings.ToLower(s) != s
}

// ParseReference splits an image reference as split does and refuses what
// docker refuses, the 64 hexadecimal digits of an image ID included.
func ParseReference(image string) (Reference, error) {
	fail := func(format string, args ...any) (Reference, error) {
		return Reference{}, fmt.Errorf("parse image reference %q: %s", image, fmt.Sprintf(format, args...))
	}
	if image == "" {
		return fail("it is empty")
	}
	if len(image) == 64 && strings.Trim(image, "0123456789abcdef") == "" {
		return fail("it is an image ID, not a reference")
	}
	r := split(image)
	tagged, _, hasDigest := strings.Cut(image, "@")
	switch {
	case !validHost(r.Host):
		return fail("%q is not the name of a registry", r.Host)
	case r.Repository != strings.ToLower(r.Repository):
		return fail("the name of a repository must be in lower case")
	case len(r.Repository) > maxName:
		return fail("the name of the repository has more than %d characters", maxName)
	case strings.HasSuffix(tagged, ":"):
		return fail("the tag is empty")
	case r.Tag != "" && !validTag(r.Tag):
		return fail("%q is not a valid tag", r.Tag)
	case hasDigest && !validDigest(r.Digest):
		return fail("%q is not a valid digest", r.Digest)
	}
	for part := range strings.SplitSeq(r.Repository, "/") {
		if !validPart(part) {
			return fail("%q is not a valid part of a repository's name", part)
		}
	}
	return r, nil
}
