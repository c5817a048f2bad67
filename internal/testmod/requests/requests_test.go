package requests

import (
	"context"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/testmod/rig"
)

var update = flag.Bool("update", false, "rewrite the engine's section of docs/requests.md")

func TestMain(m *testing.M) { leaktest.Main(m) }

// sections are the engines that the page is about: the newest of each kind.
var sections = []string{"docker28", "podman58"}

// TestRequests makes every call, those that may refresh a second time without that, and
// holds what was asked against the page.
func TestRequests(t *testing.T) {
	e := rig.NeedEngine(t)
	if !slices.Contains(sections, e.Name) {
		t.Skipf("the page is about %v", sections)
	}
	if e.OurAddr == "" {
		t.Skip("BERTH_OUR_ADDR is not set: the engine reaches no registry of ours")
	}
	registry := rig.Registry(t, e.OurAddr)
	other := e.Connect(t)
	var rows []row
	for _, c := range calls() {
		t.Run(strings.ReplaceAll(strings.TrimSuffix(c.name+", "+c.when, ", "), " ", "_"), func(t *testing.T) {
			list, unsupported := record(t, e, other, registry, c)
			if slices.ContainsFunc(list, refreshes) {
				without, _ := record(t, e, other, registry, c, berth.NoRefresh())
				list = refreshed(list, without)
			}
			rows = append(rows, row{c, list, unsupported})
		})
	}
	if len(rows) == len(calls()) { // not a part of them, by -run
		check(t, e.Name, table(rows))
	}
}

// record makes one call in a world of its own.
func record(t *testing.T, e rig.Engine, other *berth.Client, registry string, c call, opts ...berth.Option) ([]string, bool) {
	t.Helper()
	rec := &recorder{}
	w := &world{t: t, ctx: context.WithoutCancel(t.Context()), other: other, rec: rec, registry: registry}
	ctx, cancel := context.WithCancel(w.ctx)
	t.Cleanup(cancel)
	w.ctx = ctx
	w.cli = e.Connect(t, append(opts, berth.WithTracer(rec))...)
	c.do(w)
	return w.list, w.unsupported
}

// TestEveryCall: every method that takes a context has a row.
func TestEveryCall(t *testing.T) {
	var names []string
	for _, c := range calls() {
		names = append(names, c.name)
	}
	ctx := reflect.TypeFor[context.Context]()
	for _, typ := range []reflect.Type{
		reflect.TypeFor[*berth.Client](), reflect.TypeFor[*berth.Containers](), reflect.TypeFor[*berth.Container](), reflect.TypeFor[*berth.Cmd](),
		reflect.TypeFor[*berth.Images](), reflect.TypeFor[*berth.Image](), reflect.TypeFor[*berth.Volumes](), reflect.TypeFor[*berth.Volume](),
		reflect.TypeFor[*berth.Networks](), reflect.TypeFor[*berth.Network](), reflect.TypeFor[*berth.Secrets](), reflect.TypeFor[*berth.Secret](),
	} {
		for m := range typ.Methods() {
			name := typ.Elem().Name() + "." + m.Name
			if m.Type.NumIn() > 1 && m.Type.In(1) == ctx && !slices.Contains(names, name) {
				t.Errorf("%s has no row", name)
			}
		}
	}
}

// TestPage: the page has the rows of calls, for both engines.
func TestPage(t *testing.T) {
	page, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, c := range calls() {
		want = append(want, row{call: c}.title())
	}
	for _, engine := range sections {
		var got []string
		for line := range strings.Lines(sectionPattern(engine).FindString(string(page))) {
			if title, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " | "); ok && strings.HasPrefix(title, "`") {
				got = append(got, title)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rows of %s:\n%s", engine, diff)
		}
	}
}
