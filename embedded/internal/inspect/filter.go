package inspect

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// filter chooses containers by Docker's rules (moby, daemon/list.go): every test must hold.
type filter struct {
	all   bool // those that do not run, too
	tests []func(*state.Snapshot) bool
	list  []*state.Snapshot // to look containers up in
	src   Sources
}

func newFilter(list []*state.Snapshot, opts engine.ListOptions, src Sources) (*filter, error) {
	f := &filter{all: opts.All || opts.Limit > 0, list: list, src: src}
	for key, values := range opts.Filters {
		if len(values) == 0 {
			continue
		}
		if err := f.add(key, values); err != nil {
			return nil, err
		}
	}
	for key, ref := range map[string]string{"since": opts.Since, "before": opts.Before} {
		if ref != "" {
			if err := f.add(key, []string{ref}); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

func (f *filter) match(s *state.Snapshot) bool {
	if !f.all && !up(s.Status()) && s.Status() != engine.StatusRestarting {
		return false
	}
	for _, test := range f.tests {
		if !test(s) {
			return false
		}
	}
	return true
}

// add adds the test of one key: with labels all values must match, with others one.
func (f *filter) add(key string, values []string) error {
	make, ok := kinds[key]
	if !ok {
		return &engine.InvalidError{Option: "filter", Value: key, Reason: "there is no such filter of containers"}
	}
	var tests []func(*state.Snapshot) bool
	for _, v := range values {
		test, err := make(f, v)
		if err != nil {
			return err
		}
		tests = append(tests, test)
	}
	holds := func(s *state.Snapshot) func(func(*state.Snapshot) bool) bool {
		return func(test func(*state.Snapshot) bool) bool { return test(s) }
	}
	f.tests = append(f.tests, func(s *state.Snapshot) bool {
		if strings.HasPrefix(key, "label") || key == "until" || key == "since" || key == "before" {
			return !slices.ContainsFunc(tests, func(test func(*state.Snapshot) bool) bool { return !test(s) })
		}
		return slices.ContainsFunc(tests, holds(s))
	})
	return nil
}

// invalid is an error of a filter's value.
func invalid(key, value, reason string) error {
	return &engine.InvalidError{Option: "filter " + key, Value: value, Reason: reason}
}

// kinds make the test of one value.
var kinds = map[string]func(f *filter, v string) (func(*state.Snapshot) bool, error){
	"id": func(_ *filter, v string) (func(*state.Snapshot) bool, error) {
		return pattern("id", v, func(s *state.Snapshot) []string { return []string{s.Config.ID} })
	},
	"name": func(_ *filter, v string) (func(*state.Snapshot) bool, error) {
		return pattern("name", v, func(s *state.Snapshot) []string { return []string{s.Config.Name, "/" + s.Config.Name} })
	},
	"label":    func(_ *filter, v string) (func(*state.Snapshot) bool, error) { return labelled(v), nil },
	"label!":   func(_ *filter, v string) (func(*state.Snapshot) bool, error) { return not(labelled(v)), nil },
	"status":   (*filter).status,
	"health":   (*filter).health,
	"exited":   (*filter).exited,
	"ancestor": (*filter).ancestor,
	"before":   (*filter).before,
	"since":    (*filter).since,
	"until":    (*filter).until,
	"volume":   (*filter).volume,
	"network":  (*filter).network,
	"publish": func(_ *filter, v string) (func(*state.Snapshot) bool, error) {
		return ofPorts("publish", v, func(s *state.Snapshot) []string {
			var list []string
			for _, p := range s.Config.Ports {
				list = append(list, strconv.Itoa(int(p.ContainerPort))+"/"+p.Protocol)
			}
			return list
		})
	},
	"expose": func(_ *filter, v string) (func(*state.Snapshot) bool, error) {
		return ofPorts("expose", v, func(s *state.Snapshot) []string { return s.Config.Exposed })
	},
	"is-task":   (*filter).isTask,
	"isolation": (*filter).isolation,
}

func not(test func(*state.Snapshot) bool) func(*state.Snapshot) bool {
	return func(s *state.Snapshot) bool { return !test(s) }
}

// pattern matches what is the value, or what the value as a regular expression is found in.
func pattern(key, v string, of func(*state.Snapshot) []string) (func(*state.Snapshot) bool, error) {
	re, err := regexp.Compile(v)
	if err != nil {
		return nil, &engine.InvalidError{Option: "filter " + key, Value: v, Err: err}
	}
	return func(s *state.Snapshot) bool {
		return slices.ContainsFunc(of(s), func(have string) bool { return have == v || re.MatchString(have) })
	}, nil
}

// labelled matches KEY or KEY=VALUE.
func labelled(v string) func(*state.Snapshot) bool {
	key, value, has := strings.Cut(v, "=")
	return func(s *state.Snapshot) bool {
		got, ok := s.Config.Label(key)
		return ok && (!has || got == value)
	}
}

// until is not Docker's for lists, but for prunes: made before that time.
func (f *filter) until(v string) (func(*state.Snapshot) bool, error) {
	t, err := engine.ParseTime(v)
	if err != nil {
		return nil, err
	}
	return func(s *state.Snapshot) bool { return s.Config.Created.Before(t) }, nil
}

// created is when the container was made that a filter names.
func (f *filter) created(ref string) (id string, t time.Time, err error) {
	if f.src.Find != nil {
		if id, err = f.src.Find(ref); err != nil {
			return "", time.Time{}, err
		}
	}
	for _, s := range f.list {
		if s.Config.ID == id {
			return id, s.Config.Created, nil
		}
	}
	return "", time.Time{}, &engine.APIError{
		Engine: "embedded", Op: "list containers", Object: ref, Message: "No such container: " + ref, Kind: engine.ErrNotFound,
	}
}

func (f *filter) before(v string) (func(*state.Snapshot) bool, error) {
	id, t, err := f.created(v)
	return func(s *state.Snapshot) bool { return s.Config.ID != id && s.Config.Created.Before(t) }, err
}

func (f *filter) since(v string) (func(*state.Snapshot) bool, error) {
	id, t, err := f.created(v)
	return func(s *state.Snapshot) bool { return s.Config.ID != id && s.Config.Created.After(t) }, err
}
