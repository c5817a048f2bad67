//go:build linux

package image

import (
	"context"
)

// Tag gives the image source the further name target; a missing tag is latest.
// Another image loses the name.
func (s *Store) Tag(ctx context.Context, source, target string) error {
	name, err := parseTag("target", target)
	if err != nil {
		return err
	}
	err = s.update(ctx, func(x *index) error {
		id, err := x.find("tag image", source)
		if err == nil {
			x.name(id, name)
		}
		return err
	})
	return because(ctx, "tag image", source, err)
}

// added is an image that is to be in the index.
type added struct {
	id     string
	config *ConfigFile
	names  []string // full, with tags
	record          // Digests, Manifests, Parent, OCI; the rest is ignored
}

// add puts images into the index; those that are there get what they lack. The caller holds gc.lock, shared.
func (s *Store) add(ctx context.Context, list ...added) error {
	return s.update(ctx, func(x *index) error {
		for _, a := range list {
			rec := x.Images[a.id]
			if rec == nil {
				size, err := s.sizeOf(a.config.RootFS.DiffIDs)
				if err != nil {
					return err
				}
				rec = &record{Layers: a.config.RootFS.DiffIDs, Size: size, Parent: a.Parent, OCI: a.OCI}
				x.Images[a.id] = rec
			}
			for _, d := range a.Digests {
				rec.Digests = insert(rec.Digests, d)
			}
			for _, m := range a.Manifests {
				rec.Manifests = insert(rec.Manifests, m)
			}
			for _, name := range a.names {
				x.name(a.id, name)
			}
		}
		return nil
	})
}
