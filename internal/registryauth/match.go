package registryauth

import (
	"slices"
	"strings"
)

// target is what credentials are looked up for.
type target struct {
	host       string // canonical: Docker Hub is always docker.io
	repository string // "" for the registry as a whole
}

// targetOf is the target of an image reference.
func targetOf(image string) target {
	host, repository, _ := RegistryOf(image)
	host, _ = canonical(host)
	return target{host, repository}
}

// server is the registry's name for credential helpers and in the header.
func (t target) server() string {
	if t.host == hubHost {
		return hubServer
	}
	return t.host
}

// canonical splits a registry key as the files have it, with or without a
// scheme and a path, into a host (lower case, one name for Docker Hub) and the
// repositories that it is limited to, "" for all. A path after a scheme and the
// paths of the registry API limit nothing.
func canonical(key string) (host, namespace string) {
	rest, isURL := strings.CutPrefix(key, "https://")
	if !isURL {
		rest, isURL = strings.CutPrefix(key, "http://")
	}
	host, namespace, _ = strings.Cut(rest, "/")
	host = strings.ToLower(host)
	switch host {
	case "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com":
		host = hubHost
	}
	namespace = strings.Trim(namespace, "/")
	if isURL || namespace == "v1" || namespace == "v2" {
		namespace = ""
	}
	return host, namespace
}

// How well a key fits. Any namespace is better than the whole registry.
const (
	noMatch     = iota
	hostOnly    // docker: a key with a path that is not the image's
	sameHost    // the registry under another of its names
	exactServer // the registry under the name that docker writes
	sameNamespace
)

// match tells how well a key fits t. Docker takes any key of the same host;
// Podman only those whose path is the image's.
func (t target) match(key string, podman bool) int {
	host, namespace := canonical(key)
	switch {
	case host != t.host:
		return noMatch
	case namespace == "" && key == t.server():
		return exactServer
	case namespace == "":
		return sameHost
	case t.repository == namespace, strings.HasPrefix(t.repository, namespace+"/"):
		return sameNamespace + len(namespace)
	case podman:
		return noMatch
	}
	return hostOnly
}

// best lists the keys of m that fit t, the best first.
func best[V any](t target, m map[string]V, podman bool) []string {
	var keys []string
	for key := range m {
		if t.match(key, podman) != noMatch {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b string) int {
		if d := t.match(b, podman) - t.match(a, podman); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return keys
}
