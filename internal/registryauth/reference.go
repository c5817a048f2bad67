package registryauth

// Reference is an image reference in its parts.
type Reference struct {
	Host       string // registry, "docker.io" when the reference has none
	Repository string // "library/busybox"
	Tag        string // "" when there is none
	Digest     string // "sha256:…", "" when there is none
}

// RegistryOf splits an image reference without judging it.
func RegistryOf(image string) (host, repository, tagOrDigest string) {
	return "", "", ""
}

// ParseReference splits an image reference strictly.
func ParseReference(image string) (Reference, error) {
	return Reference{}, nil
}

// String is the full form of the reference.
func (r Reference) String() string { return "" }
