package embedded

import (
	"slices"
	"testing"

	"github.com/berthdev/berth/engine"
)

// TestExecIDs: inspect shows the execs that are not over, through another engine on the same directories too, and none before the first.
func TestExecIDs(t *testing.T) {
	r := newRig(t)
	other := r.open()
	ctx := t.Context()
	id := r.start(engine.Spec{}, "sleep", "1000")
	show := func(when string, want ...string) {
		t.Helper()
		for _, e := range []*Engine{r.Engine, other} {
			a, err := e.ContainerInspect(ctx, id, engine.InspectOptions{})
			if err != nil || !slices.Equal(a.ExecIDs, want) {
				t.Errorf("%s: %v, %v, want %v", when, a.ExecIDs, err, want)
			}
		}
	}
	show("at first")
	var list []string
	for range 2 {
		x, err := r.ExecCreate(ctx, id, engine.ExecSpec{Cmd: []string{"sleep", "1000"}})
		r.check(err)
		_, err = r.ExecStart(ctx, x, engine.ExecStartOptions{Detach: true})
		r.check(err)
		list = append(list, x)
	}
	show("two", list...)
	r.check(r.ContainerKill(ctx, id, "KILL"))
	r.ended(id)
	show("after the end")
	r.check(r.ContainerStart(ctx, id, engine.StartOptions{}))
	show("in the next run")
	r.check(r.ContainerKill(ctx, id, "KILL"))
}
