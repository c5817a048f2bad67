//go:build linux

package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/berthdev/berth/engine"
)

// Media types.
const (
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	ociConfig      = "application/vnd.oci.image.config.v1+json"
	ociLayer       = "application/vnd.oci.image.layer.v1.tar"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerConfig   = "application/vnd.docker.container.image.v1+json"
	dockerLayer    = "application/vnd.docker.image.rootfs.diff.tar"
)

// descriptor refers to a blob.
type descriptor struct {
	MediaType   string            `json:"mediaType,omitempty"`
	Size        int64             `json:"size"`
	Digest      string            `json:"digest"`
	URLs        []string          `json:"urls,omitempty"`
	Platform    *platformJSON     `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type platformJSON struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Variant      string `json:"variant,omitempty"`
}

// manifest is that of an image, or with Manifests an index.
type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType,omitempty"`
	Config        descriptor   `json:"config,omitzero"`
	Layers        []descriptor `json:"layers,omitempty"`
	Manifests     []descriptor `json:"manifests,omitempty"`
}

// parseManifest reads an image's manifest or an index, and judges what it refers to.
func parseManifest(data []byte) (*manifest, error) {
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("parse manifest: %w", err)
	}
	if m.SchemaVersion != 2 {
		return nil, fmt.Errorf("parse manifest: schema version %d is not supported", m.SchemaVersion)
	}
	if (m.Config.Digest == "") == (m.Manifests == nil) {
		return nil, errors.New("parse manifest: it is neither an image's nor an index")
	}
	if len(m.Layers) > maxLayers {
		return nil, fmt.Errorf("image has %d layers, more than %d", len(m.Layers), maxLayers)
	}
	all := append(append([]descriptor{}, m.Layers...), m.Manifests...)
	if m.Manifests == nil {
		all = append(all, m.Config)
	}
	for _, d := range all {
		if !isDigest(d.Digest) {
			return nil, fmt.Errorf("parse manifest: %q is not a sha256 digest", d.Digest)
		}
		if d.Size < 0 {
			return nil, fmt.Errorf("parse manifest: size %d", d.Size)
		}
	}
	if m.Config.Size > maxConfig {
		return nil, fmt.Errorf("image configuration is too long: %d bytes", m.Config.Size) // it is read into memory
	}
	for _, l := range m.Layers {
		if strings.Contains(l.MediaType, "encrypted") {
			return nil, fmt.Errorf("layer of media type %s is not supported", l.MediaType)
		}
	}
	return &m, nil
}

func (m *manifest) isIndex() bool { return m.Manifests != nil }

// choose gives the manifest of an index that does best for a platform; nil: none does.
func (m *manifest) choose(want engine.Platform) *descriptor {
	var best *descriptor
	score := 0
	for i := range m.Manifests {
		d := &m.Manifests[i]
		if d.Platform == nil {
			if len(m.Manifests) == 1 {
				return d // its configuration tells
			}
			continue
		}
		have := engine.Platform{OS: d.Platform.OS, Arch: d.Platform.Architecture, Variant: d.Platform.Variant}
		if f := fit(have, want); f > score {
			best, score = d, f
		}
	}
	return best
}

// platforms lists those of an index, for an error.
func (m *manifest) platforms() string {
	var list []string
	for _, d := range m.Manifests {
		if p := d.Platform; p != nil && p.OS != "unknown" {
			list = append(list, engine.Platform{OS: p.OS, Arch: p.Architecture, Variant: p.Variant}.String())
		}
	}
	return strings.Join(list, ", ")
}
