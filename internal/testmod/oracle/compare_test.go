package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wire is v as JSON has it, with numbers as they are written. Strings stay what
// they are, whatever bytes they have.
func wire(t testing.TB, v any) any {
	t.Helper()
	switch v := v.(type) {
	case string, pyBytes:
		return v
	case l:
		out := make(l, len(v))
		for i := range v {
			out[i] = wire(t, v[i])
		}
		return out
	case unordered:
		return wire(t, l(v))
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var out any
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// set is the key of a dict that is a set: a path, a port.
var set = regexp.MustCompile(`^/|^[0-9-]+/(tcp|udp|sctp)$`)

// simple makes values comparable that mean the same: what is empty (None, "", 0,
// False, [], {}) is nil, a time is in UTC, and members that are empty are left
// out, but those of a set, which are true.
func simple(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			e := simple(e)
			if e == nil && set.MatchString(k) {
				e = true
			}
			if e != nil {
				out[k] = e
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		var out []any
		for _, e := range v {
			out = append(out, simple(e))
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case string:
		if v == "" {
			return nil
		}
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			if t.IsZero() {
				return nil
			}
			return t.UTC().Format(time.RFC3339Nano)
		}
		return v
	case pyBytes:
		if v == "" {
			return nil
		}
		return string(v)
	case bool:
		if !v {
			return nil
		}
		return v
	case json.Number:
		if f, err := v.Float64(); err == nil && f == 0 {
			return nil
		}
		return v.String()
	}
	return v
}

// unordered is a list that engines give in an order by chance.
type unordered l

// diff tells where Python's value and Berth's differ, "" where they do not.
func diff(t testing.TB, python, berth any) string {
	t.Helper()
	one, two := simple(python), simple(wire(t, berth))
	if _, ok := berth.(unordered); ok {
		inOrder(one)
		inOrder(two)
	}
	return cmp.Diff(one, two)
}

// inOrder sorts a list.
func inOrder(v any) {
	list, _ := v.([]any)
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}

// equal compares Python's value with Berth's.
func equal(t testing.TB, what string, python, berth any) {
	t.Helper()
	if d := diff(t, python, berth); d != "" {
		t.Errorf("%s: Python's value (-) and Berth's (+) differ:\n%s", what, d)
	}
}

// places say where the values of a dict of Python's are in a type of Berth's. A
// path goes from key to key, with dots. The function gives the value in the form
// that Python has; a nil one says that it is in Raw only.
type places[T any] map[string]func(T) any

// elsewhere is the value of a place that the test compares by itself, or that
// Berth has in another answer.
const elsewhere = place("elsewhere")

type place string

// check holds every value of the dict against its place, and notes the places that it has found.
func (p places[T]) check(t *testing.T, dict map[string]any, v T, raw json.RawMessage, found map[string]bool) {
	t.Helper()
	p.walk(t, "", dict, wire(t, raw), v, found)
}

// unused reports the places that no dict had.
func (p places[T]) unused(t *testing.T, found map[string]bool) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(p)) {
		if !found[path] {
			t.Errorf("%s is in no dict of Python's", path)
		}
	}
}

func (p places[T]) walk(t *testing.T, path string, python, raw any, v T, found map[string]bool) {
	t.Helper()
	if get, ok := p[path]; ok && path != "" {
		found[path] = true
		switch {
		case get != nil:
			if berth := get(v); berth != elsewhere {
				equal(t, path, python, berth)
			}
		default:
			if d := cmp.Diff(simple(python), simple(raw)); d != "" {
				t.Errorf("%s: Python's value (-) and Raw's (+) differ:\n%s", path, d)
			}
		}
		return
	}
	dict, ok := python.(map[string]any)
	if !ok {
		t.Errorf("%s is %v in Python and has no place in Berth", path, python)
		return
	}
	below, _ := raw.(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(dict)) {
		p.walk(t, strings.TrimPrefix(path+"."+key, "."), dict[key], below[key], v, found)
	}
}

// leaves flattens a value to its leaves by path; members of a list have their
// index as key.
func leaves(path string, v any, out map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			leaves(strings.TrimPrefix(path+"."+k, "."), e, out)
		}
	case []any:
		for i, e := range v {
			leaves(fmt.Sprintf("%s.%d", path, i), e, out)
		}
	case nil:
	default:
		out[path] = fmt.Sprint(v)
	}
}

// lookUp is a value deep in JSON.
func lookUp(raw json.RawMessage, path ...string) any {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	for _, key := range path {
		dict, _ := v.(map[string]any)
		v = dict[key]
	}
	return v
}

// listPath is the path of a leaf in a list.
var listPath = regexp.MustCompile(`\.[0-9]+(\.|$)`)
