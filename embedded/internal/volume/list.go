//go:build linux

package volume

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
)

// List returns the volumes that match the filters, sorted by name: name (a regular expression that matches
// in it, as on Docker), driver, dangling, and label and label!, each of which must match.
func (s *Store) List(ctx context.Context, filters engine.Filters, inUse InUse) ([]engine.VolumeAttrs, error) {
	f, err := parseFilters(filters, "name", "driver", "dangling", "label", "label!")
	if err != nil {
		return nil, err
	}
	out := []engine.VolumeAttrs{}
	entries, err := os.ReadDir(s.root) // sorted
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list volumes: %w", err)
	}
	var users map[string][]string
	if f.dangling != nil {
		if users, err = inUse(); err != nil {
			return nil, fmt.Errorf("list volumes: %w", err)
		}
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !f.named(e.Name()) {
			continue
		}
		c, err := s.load(e.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue // no volume, or removed meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("list volumes: %w", err)
		}
		switch {
		case f.dangling != nil && *f.dangling != (len(users[c.Name]) == 0):
		case len(f.drivers) > 0 && !slices.Contains(f.drivers, c.Driver):
		case !f.labelled(c.Labels):
		default:
			out = append(out, *s.attrs(c))
		}
	}
	return out, nil
}

// filters are an engine's filters, read.
type filters struct {
	names             []*regexp.Regexp
	exact             []string
	drivers           []string
	dangling          *bool
	all               bool
	labels, notLabels []string
}

// parseFilters reads filters, of which there may be those named. Others are an engine.InvalidError.
func parseFilters(list engine.Filters, allowed ...string) (*filters, error) {
	f := &filters{}
	for key, values := range list {
		if !slices.Contains(allowed, key) {
			return nil, &engine.InvalidError{Option: "filter", Value: key, Reason: "want " + strings.Join(allowed, ", ")}
		}
		for _, v := range values {
			if err := f.add(key, v); err != nil {
				return nil, &engine.InvalidError{Option: "filter " + key, Value: v, Err: err}
			}
		}
	}
	return f, nil
}

func (f *filters) add(key, v string) error {
	switch key {
	case "name":
		re, err := regexp.Compile(v)
		if err != nil {
			return err
		}
		f.names, f.exact = append(f.names, re), append(f.exact, v)
	case "driver":
		f.drivers = append(f.drivers, v)
	case "label":
		f.labels = append(f.labels, v)
	case "label!":
		f.notLabels = append(f.notLabels, v)
	case "dangling", "all":
		b, err := strconv.ParseBool(v)
		if err != nil {
			return err
		}
		if key == "all" {
			f.all = b
			return nil
		}
		if f.dangling != nil && *f.dangling != b {
			return errors.New("want one of true and false")
		}
		f.dangling = &b
	}
	return nil
}

func (f *filters) named(name string) bool {
	return len(f.names) == 0 || slices.Contains(f.exact, name) ||
		slices.ContainsFunc(f.names, func(re *regexp.Regexp) bool { return re.MatchString(name) })
}

func (f *filters) labelled(labels map[string]string) bool {
	has := func(want string) bool {
		key, value, withValue := strings.Cut(want, "=")
		have, ok := labels[key]
		return ok && (!withValue || have == value)
	}
	for _, l := range f.labels {
		if !has(l) {
			return false
		}
	}
	return !slices.ContainsFunc(f.notLabels, has)
}
