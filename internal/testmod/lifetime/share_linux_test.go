package lifetime

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// programs is how many there are with one state directory.
const programs = 8

// together lets as many programs do a job at once and returns how many ended how.
func together(t *testing.T, w *world, name string, args func(i int) []string) (kinds map[string]int, texts []string) {
	t.Helper()
	list := make([]*program, programs)
	var wg sync.WaitGroup
	for i := range list {
		list[i] = w.start(t, name, args(i)...)
	}
	for _, p := range list {
		p.begin()
	}
	var mu sync.Mutex
	kinds = map[string]int{}
	for _, p := range list {
		wg.Go(func() {
			kind, text := p.end()
			mu.Lock()
			defer mu.Unlock()
			kinds[kind]++
			if text != "" {
				texts = append(texts, text)
			}
		})
	}
	wg.Wait()
	return kinds, texts
}

// TestShare: of several programs that do the same to one container at once exactly one wins where there is something to win, and the others are told what is.
func TestShare(t *testing.T) {
	w := newWorld(t)
	before := w.settled(t)
	same := func(step string) func(int) []string { return func(int) []string { return []string{"same", step} } }
	for _, c := range []struct {
		step string
		want map[string]int
	}{
		{"create", map[string]int{"ok": 1, "conflict": programs - 1}},
		{"start", map[string]int{"ok": programs}},
		{"exec", map[string]int{"ok": programs}},
		{"pause", map[string]int{"ok": 1, "conflict": programs - 1}},
		{"unpause", map[string]int{"ok": 1, "conflict": programs - 1}},
		{"stop", map[string]int{"ok": programs}},
		{"exec", map[string]int{"not running": programs}},
		{"start", map[string]int{"ok": programs}},
		{"remove", nil},
		{"exec", map[string]int{"not found": programs}},
	} {
		kinds, texts := together(t, w, "race", same(c.step))
		if c.want == nil { // who comes while it is being removed is told so, who comes later that there is none
			if kinds["ok"] != 1 || kinds["ok"]+kinds["not found"]+kinds["conflict"] != programs {
				t.Errorf("%s: %v %s", c.step, kinds, strings.Join(texts, "\n"))
			}
		} else if !maps.Equal(kinds, c.want) {
			t.Errorf("%s: %v, want %v\n%s", c.step, kinds, c.want, strings.Join(slices.Compact(slices.Sorted(slices.Values(texts))), "\n"))
		}
	}
	// Each has containers of its own, in the same network.
	kinds, texts := together(t, w, "life", func(i int) []string { return []string{fmt.Sprintf("own%d", i), "2"} })
	if kinds["ok"] != programs {
		t.Errorf("lives: %v %s", kinds, strings.Join(texts, "\n"))
	}
	w.nothingNew(t, before)
}
