package normal

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestMergePatch(t *testing.T) {
	// RFC 7386, appendix A, and what it leaves out.
	for _, c := range [][3]string{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{``, `{"a":1}`, `{"a":1}`},
		{`{"a":12345678901234567890,"b":1.50}`, `{"c":1e400}`, `{"a":12345678901234567890,"b":1.50,"c":1e400}`},
		{`{"a":"<&>\u2028"}`, `{}`, `{"a":"<&>\u2028"}`},
	} {
		got, err := MergePatch(json.RawMessage(c[0]), json.RawMessage(c[1]))
		if err != nil || string(got) != c[2] {
			t.Errorf("%s patched with %s: %s, %v; want %s", c[0], c[1], got, err, c[2])
		}
	}
	for _, c := range [][2]string{{`{`, `{}`}, {`{}`, `{`}, {`{}`, ``}, {`{} {}`, `{}`}, {`{}`, `{} x`}, {`{}`, strings.Repeat(`{"a":`, 20000)}} {
		_, err := MergePatch(json.RawMessage(c[0]), json.RawMessage(c[1]))
		wantInvalid(t, err)
	}
}

func FuzzMergePatch(f *testing.F) {
	f.Add([]byte(`{"a":{"b":1}}`), []byte(`{"a":{"b":null,"c":[]}}`))
	f.Fuzz(func(t *testing.T, target, patch []byte) {
		got, err := MergePatch(target, patch)
		if err != nil {
			wantInvalid(t, err)
			return
		}
		if !json.Valid(got) || !json.Valid(patch) {
			t.Fatalf("%s patched with %s is %s", target, patch, got)
		}
		again, err := MergePatch(got, patch)
		if err != nil || string(again) != string(got) {
			t.Fatalf("%s patched with %s twice: %s, %s, %v", target, patch, got, again, err)
		}
		var empty map[string]any
		if json.Unmarshal(got, &empty) == nil {
			if same, err := MergePatch(got, json.RawMessage(`{}`)); err != nil || empty != nil && string(same) != string(got) {
				t.Fatalf("%s patched with {}: %s, %v", got, same, err)
			}
		}
	})
}
