package main

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

const root = "../../../"

func TestPageIsUpToDate(t *testing.T) {
	want, err := generate(root + "engine")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(root + page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(want)); diff != "" {
		t.Errorf("%s is out of date; run in the root of the repository: go run ./internal/gen/options\n%s", page, diff)
	}
}

// The page is made from the source; reflection says what must be on it.
func TestPageHasEveryField(t *testing.T) {
	text, err := generate(root + "engine")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for section := range strings.SplitSeq(string(text), "\n## ") {
		name, body, _ := strings.Cut(section, "\n")
		sections[name] = body
	}
	seen := map[reflect.Type]bool{}
	var walk func(typ reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(typ.Elem())
			return
		}
		if seen[typ] || typ.PkgPath() != reflect.TypeFor[engine.Spec]().PkgPath() {
			return
		}
		seen[typ] = true
		body, ok := sections[typ.Name()]
		if !ok {
			t.Errorf("the page lacks %s", typ)
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		for f := range typ.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if _, row, ok := strings.Cut(body, "| "+f.Name+" | "+name+" | "); !ok {
				t.Errorf("the page lacks %s.%s (%s)", typ, f.Name, name)
			} else if row, _, _ = strings.Cut(row, "\n"); strings.HasSuffix(row, "|  |") {
				t.Errorf("%s.%s has no comment in the source", typ, f.Name)
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[engine.Spec]())
	if len(seen) < 15 {
		t.Errorf("only %d types", len(seen))
	}
}

func TestSharedComments(t *testing.T) {
	st := structType{fields: []field{{name: "A", doc: "A and B are letters."}, {name: "B"}, {name: "C"}}}
	st.share()
	if st.fields[1].doc != "A and B are letters." || st.fields[2].doc != "" {
		t.Errorf("%+v", st.fields)
	}
}
