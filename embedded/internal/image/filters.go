//go:build linux

package image

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
)

// filters choose images. Every kind must match, with any of its values; labels with all.
type filters struct {
	dangling   *bool
	labels     []string // KEY or KEY=VALUE
	notLabels  []string
	references []string // patterns
	before     []time.Time
	since      []time.Time
	until      []time.Time
	ids        []string
}

// filters reads an engine's filters. An unknown one is an engine.InvalidError.
func (s *Store) filters(list engine.Filters, name string) (*filters, error) {
	f := &filters{}
	if name != "" {
		f.references = append(f.references, name)
	}
	for key, values := range list {
		for _, v := range values {
			if err := s.filter(f, key, v); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

func (s *Store) filter(f *filters, key, v string) error {
	switch key {
	case "dangling":
		b, err := strconv.ParseBool(v)
		if err != nil || f.dangling != nil && *f.dangling != b {
			return &engine.InvalidError{Option: "filter dangling", Value: v, Reason: "want one of true and false"}
		}
		f.dangling = &b
	case "label":
		f.labels = append(f.labels, v)
	case "label!":
		f.notLabels = append(f.notLabels, v)
	case "reference":
		if _, err := path.Match(v, ""); err != nil {
			return &engine.InvalidError{Option: "filter reference", Value: v, Err: err}
		}
		f.references = append(f.references, v)
	case "id":
		f.ids = append(f.ids, strings.TrimPrefix(v, sha256Prefix))
	case "before", "since", "after":
		img, err := s.Resolve(v)
		if err != nil {
			return err
		}
		if key == "before" {
			f.before = append(f.before, timeOf(img.Config.Created))
		} else {
			f.since = append(f.since, timeOf(img.Config.Created))
		}
	case "until":
		t, err := engine.ParseTime(v)
		if err != nil {
			return &engine.InvalidError{Option: "filter until", Value: v, Err: err}
		}
		f.until = append(f.until, t)
	default:
		return &engine.InvalidError{Option: "filter", Value: key, Reason: "want dangling, label, label!, reference, id, before, since or until"}
	}
	return nil
}

func (f *filters) match(x *index, img *Image) bool {
	created := timeOf(img.Config.Created)
	before := func(t time.Time) bool { return !created.Before(t) }
	after := func(t time.Time) bool { return !created.After(t) }
	switch {
	case f.dangling != nil && *f.dangling != (len(img.Names) == 0):
	case slices.ContainsFunc(f.labels, func(l string) bool { return !hasLabel(img, l) }):
	case slices.ContainsFunc(f.notLabels, func(l string) bool { return hasLabel(img, l) }):
	case len(f.references) > 0 && len(f.shown(img.Names)) == 0 && !slices.ContainsFunc(img.Digests, f.refers):
	case len(f.ids) > 0 && !slices.ContainsFunc(f.ids, func(id string) bool { return strings.HasPrefix(hexOf(img.ID), id) }):
	case slices.ContainsFunc(f.before, before), slices.ContainsFunc(f.until, before):
	case slices.ContainsFunc(f.since, after):
	default:
		return true
	}
	return false
}

func hasLabel(img *Image, label string) bool {
	key, value, withValue := strings.Cut(label, "=")
	have, ok := img.Config.Config.Labels[key]
	return ok && (!withValue || have == value)
}

// shown are those of an image's names that the filter reference chooses.
func (f *filters) shown(names []string) []string {
	if len(f.references) == 0 {
		return names
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !f.refers(name) })
}

// refers tells whether a pattern matches a name: in full or as people write it, with the tag or without.
func (f *filters) refers(name string) bool {
	for _, pattern := range f.references {
		for _, form := range []string{name, repositoryOf(name)} {
			for _, s := range []string{form, Familiar(form)} {
				if ok, _ := path.Match(pattern, s); ok {
					return true
				}
			}
		}
	}
	return false
}
