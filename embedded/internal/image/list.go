//go:build linux

package image

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/berthdev/berth/engine"
)

// List lists images, the newest first. Images without a name that others were
// committed of are left out, but for ImageListOptions.All.
func (s *Store) List(ctx context.Context, opts engine.ImageListOptions, inUse InUse) ([]engine.ImageSummary, error) {
	f, err := s.filters(opts.Filters, opts.Name)
	if err != nil {
		return nil, err
	}
	x, err := s.read()
	if err != nil {
		return nil, err
	}
	out := []engine.ImageSummary{}
	for id, rec := range x.Images {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !opts.All && len(rec.Names) == 0 && x.children(id) > 0 {
			continue
		}
		img, err := s.image(x, id)
		if errors.Is(err, engine.ErrNotFound) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		if !f.match(x, img) {
			continue
		}
		sum := engine.ImageSummary{
			ID: id, RepoTags: familiar(f.shown(img.Names)), RepoDigests: familiar(img.Digests), ParentID: img.Parent,
			Created: timeOf(img.Config.Created), Labels: img.Config.Config.Labels, Size: engine.Bytes(rec.Size), Dangling: len(rec.Names) == 0,
		}
		if inUse != nil {
			sum.Containers = new(len(inUse(id)))
		}
		out = append(out, sum)
	}
	slices.SortFunc(out, func(a, b engine.ImageSummary) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}
