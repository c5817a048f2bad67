package engine

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// String is the JSON of s, with the values of secret-looking variables of Env,
// and of such options of the log driver, replaced by ***: those whose name has
// PASS, SECRET, TOKEN, KEY or CREDENTIAL in it. It is for people to read.
func (s Spec) String() string {
	s.Env = masked(s.Env)
	s.LogConfig.Options = masked(s.LogConfig.Options)
	text, err := s.marshal()
	if err != nil {
		return "Spec(" + err.Error() + ")"
	}
	return string(text)
}

// GoString is String: %#v does not show secrets either.
func (s Spec) GoString() string { return "engine.Spec(" + s.String() + ")" }

func masked(m map[string]string) map[string]string {
	m = maps.Clone(m)
	for k := range m {
		name := strings.ToUpper(k)
		for _, word := range [...]string{"PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL"} {
			if strings.Contains(name, word) {
				m[k] = "***"
			}
		}
	}
	return m
}

// Equal tells that s and o say the same. A nil slice, map or pointer differs from
// an empty one, as it does in JSON. Embedded JSON is compared by what it says.
func (s Spec) Equal(o Spec) bool { return equal(reflect.ValueOf(s), reflect.ValueOf(o)) }

// Clone is a copy that shares nothing with s.
func (s Spec) Clone() Spec { return clone(reflect.ValueOf(s)).Interface().(Spec) }

var rawMessage = reflect.TypeFor[json.RawMessage]()

// equal is reflect.DeepEqual for trees, but for json.RawMessage.
func equal(a, b reflect.Value) bool {
	if a.Type() == rawMessage {
		return equalJSON(a.Bytes(), b.Bytes())
	}
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return equal(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !equal(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return false
		}
		for it := a.MapRange(); it.Next(); {
			other := b.MapIndex(it.Key())
			if !other.IsValid() || !equal(it.Value(), other) {
				return false
			}
		}
		return true
	case reflect.Struct:
		if a.Type().NumField() == 0 || !a.Type().Field(0).IsExported() {
			return a.Equal(b) // an opaque value such as netip.Addr
		}
		for i := range a.NumField() {
			if !equal(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}

// equalJSON compares two JSON texts by what they say; numbers by how they are
// written. No text is null, and a text that is no JSON is equal to itself.
func equalJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	va, errA := decodeJSON(a)
	vb, errB := decodeJSON(b)
	return errA == nil && errB == nil && reflect.DeepEqual(va, vb)
}

func decodeJSON(text []byte) (v any, err error) {
	if text == nil {
		return nil, nil
	}
	if !json.Valid(text) {
		return nil, &InvalidError{Option: "JSON"}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// clone copies a tree of exported fields; opaque values such as netip.Addr are immutable.
func clone(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.Set(reflect.New(v.Type().Elem()))
			c.Elem().Set(clone(v.Elem()))
		}
	case reflect.Slice:
		if !v.IsNil() {
			c.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				c.Index(i).Set(clone(v.Index(i)))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			c.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for it := v.MapRange(); it.Next(); {
				c.SetMapIndex(it.Key(), clone(it.Value()))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				c.Field(i).Set(clone(v.Field(i)))
			}
		}
	}
	return c
}

// sortedKeys gives a map's keys in order, for errors that come in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
