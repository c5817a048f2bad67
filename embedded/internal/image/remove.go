//go:build linux

package image

import (
	"context"
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
)

// Remove removes a name of an image, and the image with its last name. Given an ID
// it removes the image with its name; several names need Force. An image in use is an
// engine.ErrConflict without Force; with it, its layers stay as long as a container has
// them. Parents that have no name and no other children go too, but for NoPrune.
func (s *Store) Remove(ctx context.Context, ref string, opts engine.ImageRemoveOptions, inUse InUse) (engine.ImageRemoveReport, error) {
	var report engine.ImageRemoveReport
	err := s.update(ctx, func(x *index) error {
		id, err := x.find("remove image", ref)
		if err != nil {
			return err
		}
		r := remover{x: x, inUse: inUse, opts: opts}
		err = r.remove(id, ref)
		report = r.report
		return err
	})
	if err != nil {
		return engine.ImageRemoveReport{}, because(ctx, "remove image", "", err)
	}
	if len(report.Deleted) > 0 {
		_, err = s.collect()
	}
	return report, err
}

// remover removes from an index.
type remover struct {
	x      *index
	inUse  InUse
	opts   engine.ImageRemoveOptions
	report engine.ImageRemoveReport
}

func (r *remover) users(id string) []string {
	if r.inUse == nil {
		return nil
	}
	return r.inUse(id)
}

func (r *remover) remove(id, ref string) error {
	rec := r.x.Images[id]
	names, digests := r.meant(id, ref)
	last := len(names) == len(rec.Names)
	conflict := func(format string, args ...any) error {
		return fail("remove image", ref, engine.ErrConflict, format, args...)
	}
	byID := len(names) == 0 && len(digests) == 0
	if byID {
		names, digests, last = rec.Names, rec.Digests, true
		repos := map[string]bool{}
		for _, n := range names {
			repos[repositoryOf(n)] = true
		}
		if len(repos) > 1 && !r.opts.Force {
			return conflict("the image has several names: %s", strings.Join(familiar(names), ", "))
		}
	}
	if last && !r.opts.Force {
		if users := r.users(id); len(users) > 0 {
			return conflict("the image is used by container %s", strings.Join(users, ", "))
		}
	}
	if byID && len(names) == 0 && r.x.children(id) > 0 {
		return conflict("other images were made of it")
	}
	for _, n := range names {
		r.report.Untagged = append(r.report.Untagged, Familiar(n))
	}
	gone := names
	rec.Names = slices.DeleteFunc(slices.Clone(rec.Names), func(n string) bool { return slices.Contains(gone, n) })
	// A digest goes with the last name of its repository.
	rec.Digests = slices.DeleteFunc(slices.Clone(rec.Digests), func(d string) bool {
		kept := slices.ContainsFunc(rec.Names, func(n string) bool { return repositoryOf(n) == repositoryOf(d) })
		if slices.Contains(digests, d) || !kept && len(gone) > 0 && slices.ContainsFunc(gone, func(n string) bool { return repositoryOf(n) == repositoryOf(d) }) {
			r.report.Untagged = append(r.report.Untagged, Familiar(d))
			return true
		}
		return false
	})
	if len(rec.Names) == 0 {
		r.drop(id)
	}
	return nil
}

// meant are the names and digests that ref means, none for an ID.
func (r *remover) meant(id, ref string) (names, digests []string) {
	if id == ref || strings.HasPrefix(id, sha256Prefix+hexOf(ref)) && r.x.named(ref) != id {
		return nil, nil
	}
	name, err := parseName("image", ref)
	if err != nil {
		return nil, nil
	}
	if name.Digest != "" {
		name.Tag = ""
		return nil, []string{name.String()}
	}
	return []string{name.String()}, nil
}

// drop deletes an image without names, unless others were made of it, and then its parents.
func (r *remover) drop(id string) {
	for id != "" {
		rec := r.x.Images[id]
		if rec == nil || len(rec.Names) > 0 || r.x.children(id) > 0 {
			return
		}
		delete(r.x.Images, id)
		r.report.Deleted = append(r.report.Deleted, id)
		id = rec.Parent
		if r.opts.NoPrune || len(r.users(id)) > 0 {
			return
		}
	}
}

// Prune removes images that nothing uses: those without a name, or with the filter
// dangling=false all. The filters label, label! and until choose some.
func (s *Store) Prune(ctx context.Context, list engine.Filters, inUse InUse) (engine.PruneReport, error) {
	var report engine.PruneReport
	for key := range list {
		if key != "dangling" && key != "label" && key != "label!" && key != "until" {
			return report, &engine.InvalidError{Option: "filter", Value: key, Reason: "want dangling, label, label! or until"}
		}
	}
	f, err := s.filters(list, "")
	if err != nil {
		return report, err
	}
	all := f.dangling != nil && !*f.dangling
	f.dangling = nil
	err = s.update(ctx, func(x *index) error {
		r := remover{x: x, inUse: inUse}
		ids := make([]string, 0, len(x.Images))
		for id := range x.Images {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		for _, id := range ids {
			rec := x.Images[id]
			if rec == nil || !all && len(rec.Names) > 0 || len(r.users(id)) > 0 {
				continue
			}
			img, err := s.image(x, id)
			if err != nil {
				return err
			}
			if !f.match(x, img) {
				continue
			}
			r.report.Untagged = append(r.report.Untagged, familiar(rec.Names)...)
			rec.Names = nil
			r.drop(id)
		}
		report.Deleted = append(r.report.Untagged, r.report.Deleted...)
		return nil
	})
	if err != nil {
		return engine.PruneReport{}, because(ctx, "prune images", "", err)
	}
	freed, err := s.collect()
	report.Reclaimed = engine.Bytes(freed)
	return report, err
}
