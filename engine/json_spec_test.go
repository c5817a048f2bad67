package engine

import (
	"encoding/json"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// roundTrip writes and reads s.
func roundTrip(t *testing.T, s Spec) (Spec, []byte) {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	var again Spec
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return again, text
}

func TestSpecJSONRoundTrip(t *testing.T) {
	for seed := range uint64(300) {
		checkRoundTrip(t, newGenerator(seed).spec())
	}
}

func FuzzSpecJSONRoundTrip(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { checkRoundTrip(t, newGenerator(seed).spec()) })
}

func checkRoundTrip(t *testing.T, s Spec) {
	t.Helper()
	again, text := roundTrip(t, s)
	if !s.Equal(again) {
		t.Fatalf("%s differs after a round trip:\n%s", text, cmp.Diff(s, again, byAddr, cmp.Comparer(equalRaw)))
	}
	text2, err := json.Marshal(again)
	if err != nil || string(text) != string(text2) {
		t.Fatalf("written again:\n%s\n%s\n%v", text, text2, err)
	}
}

func equalRaw(a, b json.RawMessage) bool { return equalJSON(a, b) }

// Text that is read must give something that is written and read the same.
func FuzzSpecJSONRead(f *testing.F) {
	f.Add([]byte(`{"image":"x","stopTimeout":"1s","mounts":[{"type":"tmpfs","target":"/x","mode":"1777"}],"healthcheck":{"interval":5}}`))
	f.Add([]byte(`{"raw":{"docker":{"A":1}},"resources":{"memory":"1g"},"dns":["1.1.1.1"]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s Spec
		if json.Unmarshal(text, &s) != nil {
			return
		}
		checkRoundTrip(t, s)
		_ = s.Validate()
		_ = s.String()
	})
}

func TestSpecJSONForm(t *testing.T) {
	s := Spec{
		Image: "busybox", Command: []string{}, StopTimeout: new(time.Duration(0)), Timeout: 90 * time.Second, Init: new(false),
		Healthcheck: &Healthcheck{
			Test: CmdShell("a"), Interval: time.Second, Timeout: 1500 * time.Millisecond,
			Startup: &StartupHealthcheck{Interval: time.Minute},
		},
		Mounts:    []Mount{{Type: MountTmpfs, Target: "/t", Size: MiB, Mode: new(fs.FileMode(0o1777))}},
		Resources: Resources{Memory: 512 * MiB, MemorySwap: -1, MemoryReservation: 1000},
		Secrets:   []SecretMount{{Source: "s", Mode: new(uint32(0))}},
		Networks:  []Endpoint{{Network: "n"}},
	}
	const want = `{"image":"busybox","command":[],"init":false,` +
		`"healthcheck":{"test":["CMD-SHELL","a"],"startup":{"interval":"1m0s"},"interval":"1s","timeout":"1.5s"},` +
		`"mounts":[{"type":"tmpfs","target":"/t","size":"1m","mode":"1777"}],` +
		`"resources":{"memory":"512m","memorySwap":-1,"memoryReservation":1000},` +
		`"networks":[{"network":"n"}],"secrets":[{"source":"s","mode":"0000"}],"stopTimeout":"0s","timeout":"1m30s"}`
	got, err := json.Marshal(&s)
	if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if got, _ := json.Marshal(Spec{}); string(got) != "{}" {
		t.Errorf("the zero Spec is %s", got)
	}
}

func TestSpecJSONReadsNumbers(t *testing.T) {
	const text = `{"stopTimeout":1000000000,"timeout":"2m","healthcheck":{"interval":5000000000,"startup":{"timeout":7}},"shmSize":1024,
		"mounts":[{"type":"tmpfs","target":"/t","mode":1023}],"secrets":[{"source":"s","mode":"0o400"}]}`
	want := Spec{
		StopTimeout: new(time.Second), Timeout: 2 * time.Minute, ShmSize: KiB,
		Healthcheck: &Healthcheck{Interval: 5 * time.Second, Startup: &StartupHealthcheck{Timeout: 7}},
		Mounts:      []Mount{{Type: MountTmpfs, Target: "/t", Mode: new(fs.FileMode(0o1777))}},
		Secrets:     []SecretMount{{Source: "s", Mode: new(uint32(0o400))}},
	}
	var got Spec
	if err := json.Unmarshal([]byte(text), &got); err != nil || !got.Equal(want) {
		t.Errorf("%v: %s", err, got)
	}
}

func TestSpecJSONKeepsWhatIsThere(t *testing.T) {
	s := Spec{Image: "a", Timeout: time.Second, StopTimeout: new(time.Second)}
	if err := json.Unmarshal([]byte(`{"name":"n","stopTimeout":null}`), &s); err != nil || !s.Equal(Spec{Image: "a", Name: "n", Timeout: time.Second}) {
		t.Errorf("%v: %s", err, s)
	}
	h := Healthcheck{Interval: time.Second, Retries: 2}
	if err := json.Unmarshal([]byte(`{"retries":3}`), &h); err != nil || h.Interval != time.Second || h.Retries != 3 {
		t.Errorf("%v: %+v", err, h)
	}
}

// A member that nobody reads would be an option that is dropped in silence.
func TestSpecJSONRefusesUnknownMembers(t *testing.T) {
	for _, text := range []string{
		`{"imagee":"x"}`, `{"resources":{"mem":1}}`, `{"mounts":[{"typ":"bind"}]}`, `{"healthcheck":{"x":1}}`, `{"healthcheck":{"startup":{"x":1}}}`,
		`{"secrets":[{"x":1}]}`, `{"networks":[{"x":1}]}`, `{"podman":{"x":1}}`,
		`{"stopTimeout":"1"}`, `{"timeout":1.5}`, `{"timeout":"x"}`, `{"mounts":[{"mode":"9"}]}`, `{"mounts":[{"mode":-1}]}`, `{"secrets":[{"mode":4294967296}]}`,
		`{"shmSize":"x"}`, `{"dns":["x"]}`, `[]`, `"x"`, `{"image":1}`,
	} {
		var s Spec
		wantInvalid(t, json.Unmarshal([]byte(text), &s))
	}
}

func TestSpecJSONRefusesWhatItWouldChange(t *testing.T) {
	for _, s := range []Spec{{Image: "a\xff"}, {Env: map[string]string{"A": "\xff"}}, {Command: []string{"a\x00"}}} {
		_, err := json.Marshal(s)
		wantInvalid(t, err)
	}
}

// Durations, sizes and modes are text wherever they are: this fails for a new field that is forgotten in json_*.go.
func TestSpecJSONWritesUnitsAsText(t *testing.T) {
	seen := 0
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(typ.Elem(), path)
		case reflect.Struct:
			for f := range fieldsOf(typ) {
				elem := f.Type
				if elem.Kind() == reflect.Pointer {
					elem = elem.Elem()
				}
				unit := elem == reflect.TypeFor[time.Duration]() || elem == reflect.TypeFor[Bytes]() || elem == reflect.TypeFor[fs.FileMode]() ||
					f.Name == "Mode" && elem.Kind() == reflect.Uint32
				if !unit {
					walk(f.Type, path+"."+f.Name)
					continue
				}
				seen++
				v := reflect.New(typ).Elem()
				to := v.FieldByName(f.Name)
				if to.Kind() == reflect.Pointer {
					to.Set(reflect.New(elem))
					to = to.Elem()
				}
				if to.CanInt() {
					to.SetInt(1 << 30)
				} else {
					to.SetUint(0o700)
				}
				text, err := json.Marshal(v.Interface())
				var members map[string]any
				if err == nil {
					err = json.Unmarshal(text, &members)
				}
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				if _, ok := members[name].(string); !ok || err != nil {
					t.Errorf("%s.%s is no text in %s (%v)", path, f.Name, text, err)
				}
			}
		}
	}
	walk(reflect.TypeFor[Spec](), "Spec")
	if seen < 15 {
		t.Errorf("only %d such fields", seen)
	}
}

func TestSpecJSONTags(t *testing.T) {
	var walk func(typ reflect.Type)
	seen := map[reflect.Type]bool{}
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(typ.Elem())
		case reflect.Struct:
			if seen[typ] {
				return
			}
			seen[typ] = true
			for f := range fieldsOf(typ) {
				name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
				if name == "" || option != "" && option != "omitzero" {
					t.Errorf("%s.%s has the tag %q: want a name, and omitzero or nothing", typ, f.Name, f.Tag)
				}
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[Spec]())
}

// fieldsOf yields the exported fields of a struct type.
func fieldsOf(typ reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for f := range typ.Fields() {
			if f.IsExported() && !yield(f) {
				return
			}
		}
	}
}
