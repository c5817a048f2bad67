package engine

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestSpecStringMasksSecrets(t *testing.T) {
	s := Spec{
		Image: "x",
		Env: map[string]string{
			"DB_PASSWORD": "hunter2", "passwd": "hunter2", "MySecret": "hunter2", "GH_TOKEN": "hunter2", "api_key": "hunter2", "CREDENTIALS": "hunter2",
			"PATH": "/bin", "HOME": "/root",
		},
		LogConfig: LogConfig{Driver: "splunk", Options: map[string]string{"splunk-token": "hunter2", "splunk-url": "u"}},
		Labels:    map[string]string{"token": "kept"},
		SecretEnv: map[string]string{"TOKEN": "name-of-secret"},
	}
	before := s.Clone()
	for _, text := range []string{s.String(), fmt.Sprint(s), fmt.Sprintf("%+v %v", &s, s), fmt.Sprintf("%#v", s), fmt.Sprintf("%#v", &s)} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("it shows a secret: %s", text)
		}
		for _, want := range []string{`"***"`, "/bin", "/root", "kept", "name-of-secret", "splunk-url"} {
			if !strings.Contains(text, want) {
				t.Errorf("it lacks %s: %s", want, text)
			}
		}
	}
	if !s.Equal(before) {
		t.Error("String modified the Spec")
	}
	if text, _ := json.Marshal(s); strings.Count(string(text), "hunter2") != 7 {
		t.Errorf("JSON masks: %s", text)
	}
	var again Spec
	if err := json.Unmarshal([]byte(s.String()), &again); err != nil {
		t.Errorf("the text is not JSON: %v", err)
	}
	if got := (Spec{Env: map[string]string{"A": "\xff"}}).String(); !strings.HasPrefix(got, "{") {
		t.Errorf("text that is not UTF-8 cannot be printed: %s", got)
	}
	if got := (Spec{Raw: map[string]json.RawMessage{"x": json.RawMessage("{")}}).String(); !strings.HasPrefix(got, "Spec(") {
		t.Errorf("broken JSON is printed as %s", got)
	}
}

func TestSpecEqual(t *testing.T) {
	raw := func(s string) Spec { return Spec{Raw: map[string]json.RawMessage{"docker": json.RawMessage(s)}} }
	for _, c := range []struct {
		a, b  Spec
		equal bool
	}{
		{Spec{}, Spec{}, true},
		{Spec{Command: []string{}}, Spec{}, false},
		{Spec{Command: []string{"a"}}, Spec{Command: []string{"b"}}, false},
		{Spec{Init: new(true)}, Spec{Init: new(true)}, true},
		{Spec{Init: new(true)}, Spec{Init: new(false)}, false},
		{Spec{Init: new(true)}, Spec{}, false},
		{Spec{Env: map[string]string{"A": ""}}, Spec{Env: map[string]string{"B": ""}}, false},
		{raw(`{"a":1,"b":[2]}`), raw(` {"b" : [ 2 ],"a":1}`), true},
		{raw(`{"a":1}`), raw(`{"a":1.0}`), false},
		{raw(`{`), raw(`{`), true},
		{raw(`{`), raw(`{}`), false},
		{raw(`{"a":1} {}`), raw(`{"a":1}`), false},
		{Spec{Raw: map[string]json.RawMessage{"docker": nil}}, raw(`null`), true},
	} {
		if c.a.Equal(c.b) != c.equal || c.b.Equal(c.a) != c.equal {
			t.Errorf("%s and %s: equal is %v", c.a, c.b, !c.equal)
		}
	}
}

// A change anywhere makes a Spec another one, and does not reach its clone.
func TestSpecEqualSeesAndCloneIsDeep(t *testing.T) {
	for seed := range uint64(500) {
		g := newGenerator(seed)
		s := g.spec()
		c := s.Clone()
		same := newGenerator(seed).spec()
		if !s.Equal(c) || !s.Equal(same) {
			t.Fatalf("seed %d: the clone differs", seed)
		}
		before, _ := json.Marshal(c)
		if !g.mutate(reflect.ValueOf(&s).Elem()) {
			continue
		}
		if s.Equal(same) || same.Equal(s) {
			t.Fatalf("seed %d: Equal does not see that\n%s became\n%s", seed, same, s)
		}
		if after, _ := json.Marshal(c); !c.Equal(same) || string(before) != string(after) {
			t.Fatalf("seed %d: a change reached the clone:\n%s\n%s", seed, before, after)
		}
	}
}

func FuzzSpecClone(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		s := newGenerator(seed).spec()
		if c := s.Clone(); !reflect.DeepEqual(s, c) {
			t.Fatalf("the clone of %s is %s", s, c)
		}
	})
}
