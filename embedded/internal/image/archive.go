//go:build linux

package image

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
)

// Archive formats.
const (
	DockerArchive = "docker-archive" // docker save's
	OCIArchive    = "oci-archive"    // an OCI image layout as a tar
)

// Names in archives.
const (
	dockerManifestFile = "manifest.json"
	repositoriesFile   = "repositories"
	ociLayoutFile      = "oci-layout"
	ociIndexFile       = "index.json"
	refNameAnnotation  = "org.opencontainers.image.ref.name"
	fullNameAnnotation = "io.containerd.image.name"
)

// archiveImage is an entry of docker save's manifest.json.
type archiveImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// archiveFormat reads SaveOptions.Format.
func archiveFormat(format string) (string, error) {
	switch format {
	case "", DockerArchive:
		return DockerArchive, nil
	case OCIArchive:
		return OCIArchive, nil
	}
	return "", &engine.InvalidError{Option: "SaveOptions.Format", Value: format, Reason: fmt.Sprintf("want %s or %s", DockerArchive, OCIArchive)}
}

// blobName is the path of a blob in an OCI layout.
func blobName(digest string) string { return "blobs/sha256/" + hexOf(digest) }

// digestIn is the digest that an entry of an archive has in its name, or "".
func digestIn(name string) string {
	base := strings.TrimSuffix(strings.TrimSuffix(path.Base(name), ".tar"), ".json")
	if len(base) == 64 && isHex(base) {
		return sha256Prefix + base
	}
	return ""
}

// epoch is the time of everything in our archives: the same images make the same archive.
var epoch = time.Unix(0, 0).UTC()
