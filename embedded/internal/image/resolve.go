//go:build linux

package image

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/registryauth"
)

// Resolve finds an image by a name ("busybox", "registry:5000/a/b:tag"), a name with
// a manifest's digest, its ID or the unique beginning of its ID. Names come first. A
// missing one is an engine.ErrImageNotFound.
func (s *Store) Resolve(ref string) (*Image, error) {
	x, id, err := s.lookUp("find image", ref)
	if err != nil {
		return nil, err
	}
	return s.image(x, id)
}

// lookUp finds an image in the index, for op.
func (s *Store) lookUp(op, ref string) (*index, string, error) {
	x, err := s.read()
	if err != nil {
		return nil, "", err
	}
	id, err := x.find(op, ref)
	return x, id, err
}

// maxParsed bounds how many configurations are remembered.
const maxParsed = 64

// Shared is Resolve for who changes nothing in the result, and asks often: the configuration, which an image's ID is
// the digest of, is read once and shared.
func (s *Store) Shared(ref string) (*Image, error) {
	x, id, err := s.lookUp("find image", ref)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	config := s.parsed[id]
	s.mu.Unlock()
	if config != nil {
		return x.imageOf(id, config), nil
	}
	img, err := s.image(x, id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parsed == nil || len(s.parsed) >= maxParsed {
		s.parsed = make(map[string]*ConfigFile)
	}
	s.parsed[id] = img.Config
	return img, nil
}

// image makes the Image of a record.
func (s *Store) image(x *index, id string) (*Image, error) {
	data, err := s.blob(id)
	if errors.Is(err, fs.ErrNotExist) { // removed since the index was read
		return nil, notFound("find image", id)
	}
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", id, err)
	}
	config, err := parseConfig(data)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", id, err)
	}
	return x.imageOf(id, config), nil
}

// imageOf is an Image of a record and its configuration.
func (x *index) imageOf(id string, config *ConfigFile) *Image {
	rec := x.Images[id]
	return &Image{
		ID: id, Names: slices.Clone(rec.Names), Digests: slices.Clone(rec.Digests),
		Config: config, DiffIDs: slices.Clone(config.RootFS.DiffIDs), Parent: rec.Parent,
	}
}

// find gives the ID of the image that ref means.
func (x *index) find(op, ref string) (string, error) {
	if ref == "" {
		return "", &engine.InvalidError{Option: "image", Reason: "no name and no ID"}
	}
	if x.Images[ref] != nil {
		return ref, nil
	}
	if x.Images[sha256Prefix+ref] != nil {
		return sha256Prefix + ref, nil
	}
	hex, isID := strings.CutPrefix(ref, sha256Prefix)
	if !isID {
		if id := x.named(ref); id != "" {
			return id, nil
		}
	}
	if hex == "" || !isHex(hex) {
		if _, err := registryauth.ParseReference(ref); err != nil && !isID {
			return "", &engine.InvalidError{Option: "image", Value: ref, Err: err}
		}
		return "", notFound(op, ref)
	}
	found := ""
	for id := range x.Images {
		if strings.HasPrefix(id, sha256Prefix+hex) {
			if found != "" {
				return "", fail(op, ref, engine.ErrInvalid, "several images have IDs that begin with %s", hex)
			}
			found = id
		}
	}
	if found == "" {
		return "", notFound(op, ref)
	}
	return found, nil
}

// named gives the ID of the image with a name, or "". Of tag and digest the digest decides.
func (x *index) named(ref string) string {
	r, err := parseName("image", ref)
	if err != nil {
		return ""
	}
	if r.Digest != "" {
		r.Tag = ""
		digest := r.String()
		for id, rec := range x.Images {
			if slices.Contains(rec.Digests, digest) {
				return id
			}
		}
		return ""
	}
	id, _ := x.byName(r.String())
	return id
}
