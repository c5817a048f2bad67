//go:build linux

package state

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/berthdev/berth/engine"
)

// TestDecodeConfigMembers: each member of a Spec and of a Config comes back as it was.
func TestDecodeConfigMembers(t *testing.T) {
	check := func(name string, c *Config) {
		data, err := encodeConfig(c)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := decodeConfig(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := &Config{}
		if err := json.Unmarshal(data, want); err != nil { // encoding/json alone, with engine.Spec's own method
			t.Fatalf("%s: %v", name, err)
		}
		got.ImageConfig, want.ImageConfig = engine.ImageConfig{}, engine.ImageConfig{}
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%s of %s:\n got %+v\nwant %+v", name, data, got, want)
		}
	}
	for _, empty := range []bool{false, true} {
		c := &Config{}
		for where, v := range map[string]reflect.Value{"spec": reflect.ValueOf(&c.Spec).Elem(), "config": reflect.ValueOf(c).Elem()} {
			for i := range v.NumField() {
				f, name := v.Field(i), fmt.Sprint(where, ".", v.Type().Field(i).Name)
				switch {
				case name == "config.Spec", name == "config.ImageConfig", name == "config.Created", name == "spec.Raw":
					continue
				case empty && f.Kind() == reflect.Slice:
					f.Set(reflect.MakeSlice(f.Type(), 0, 0))
				case empty:
					continue
				default:
					f.Set(something(f.Type(), 0))
				}
				check(name, c)
				f.SetZero()
			}
		}
	}
}
