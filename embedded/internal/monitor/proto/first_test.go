package proto

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

// TestBrief: a message is the same, whether it goes by way of the brief types or not.
func TestBrief(t *testing.T) {
	type wholeResponse Response
	type wholeRequest Request
	requests := Request{
		Op: OpStart, Signal: "TERM", Timeout: new(time.Second), Cond: engine.WaitExited, Size: engine.Size{Rows: 1, Cols: 2},
		Attach: &engine.AttachOptions{Stdin: true}, Exec: "x", Spec: &engine.ExecSpec{Cmd: []string{"c"}}, Start: &engine.ExecStartOptions{Detach: true},
		Keys: "ctrl-p", Network: "n", Point: &engine.Endpoint{Network: "n"}, Force: true, Name: "name",
	}
	responses := Response{
		Error: &Error{Type: "api", Message: "<no>"}, Again: true, TTY: true, ID: "id", IDs: []string{"a"},
		Exec: &engine.ExecState{ID: "e"}, Exit: &engine.Exit{Code: 3, Error: "e"}, Health: &engine.HealthResult{ExitCode: 1},
	}
	one := func(all reflect.Value, i int) reflect.Value {
		v := reflect.New(all.Type()).Elem()
		if i >= 0 {
			if all.Field(i).IsZero() {
				t.Fatalf("%s is not set by this test", all.Type().Field(i).Name)
			}
			v.Field(i).Set(all.Field(i))
		}
		return v
	}
	for i := -1; i < reflect.TypeFor[Request]().NumField(); i++ {
		q := one(reflect.ValueOf(requests), i).Interface().(Request)
		data, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		var got Request
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		var want wholeRequest
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(Request(want), got) || !reflect.DeepEqual(q, got) {
			t.Errorf("%s: received %+v, want %+v", data, got, q)
		}
	}
	for _, q := range []Request{
		{Op: OpExecCreate, Spec: requests.Spec}, {Op: OpExecStart, Exec: "x", Start: requests.Start}, {Op: OpExec, Exec: "x"},
		{Op: OpExecResize, Exec: "x", Size: requests.Size}, {Op: OpExecKill, Exec: "x", Signal: "TERM"},
	} {
		data, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		var got Request
		if err := json.Unmarshal(data, &got); err != nil || !reflect.DeepEqual(q, got) {
			t.Errorf("%s: received %+v, %v", data, got, err)
		}
	}
	for i := -1; i < reflect.TypeFor[Response]().NumField(); i++ {
		r := one(reflect.ValueOf(responses), i).Interface().(Response)
		got, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(wholeResponse(r))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("(-whole +brief):\n%s", diff)
		}
	}
}
