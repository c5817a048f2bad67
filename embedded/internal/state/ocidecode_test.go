//go:build linux

package state

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestDecodeOCI: the narrow types lose nothing, member by member: each member of the whole type is set
// to something and decoded, whether the narrow types know it or not.
func TestDecodeOCI(t *testing.T) {
	check := func(name string, want *specs.Spec) {
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		whole := &specs.Spec{}
		if err := json.Unmarshal(data, whole); err != nil {
			t.Fatal(err)
		}
		got, err := decodeOCI(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(whole, got); diff != "" {
			t.Errorf("%s (-whole +narrow):\n%s", name, diff)
		}
	}
	// each sets one member of the struct v after the other, and calls f.
	each := func(name string, v reflect.Value, f func(name string)) {
		for i := range v.NumField() {
			field := v.Field(i)
			field.Set(something(field.Type(), 4))
			f(name + "." + v.Type().Field(i).Name)
			field.SetZero()
		}
	}
	base := func() *specs.Spec {
		return &specs.Spec{Process: &specs.Process{}, Linux: &specs.Linux{Resources: &specs.LinuxResources{}}, Mounts: []specs.Mount{{}}}
	}
	s := base()
	f := func(name string) { check(name, s) }
	f("base")
	each("process", reflect.ValueOf(s.Process).Elem(), f)
	each("linux.resources", reflect.ValueOf(s.Linux.Resources).Elem(), f)
	each("linux", reflect.ValueOf(s.Linux).Elem(), f)
	each("mount", reflect.ValueOf(&s.Mounts[0]).Elem(), f)
	each("spec", reflect.ValueOf(s).Elem(), f)
	if _, err := decodeOCI([]byte(`{"process": 1}`)); err == nil {
		t.Error("no error for a process that is a number")
	}
	if _, err := decodeOCI([]byte(`{"hostname": "x"} x`)); err == nil {
		t.Error("no error for what follows the object")
	}
}

// something is a value of the type that is not its zero.
func something(t reflect.Type, depth int) reflect.Value {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("something")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(7)
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		v.Elem().Set(something(t.Elem(), depth))
	case reflect.Slice:
		v.Set(reflect.Append(v, something(t.Elem(), depth)))
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
		v.SetMapIndex(something(t.Key(), depth), something(t.Elem(), depth))
	case reflect.Struct:
		if depth > 0 {
			for i := range t.NumField() {
				v.Field(i).Set(something(t.Field(i).Type, depth-1))
			}
		}
	}
	return v
}
