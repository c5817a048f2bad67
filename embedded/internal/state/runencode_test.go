//go:build linux

package state

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEncodeRun: run.json is the same as without MarshalJSON, member by member.
func TestEncodeRun(t *testing.T) {
	type plain Run
	for i := -1; i < reflect.TypeFor[Run]().NumField(); i++ {
		var r Run
		if i >= 0 {
			v := reflect.ValueOf(&r).Elem().Field(i)
			switch v.Kind() {
			case reflect.Map:
				v.Set(reflect.MakeMap(v.Type()))
				v.SetMapIndex(reflect.ValueOf("net<1>"), reflect.Zero(v.Type().Elem()))
			case reflect.Struct: // a time
			default:
				v.Set(something(v.Type(), 0))
			}
		}
		got, err := json.Marshal(&r)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(plain(r))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("(-plain +got):\n%s", diff)
		}
	}
}
