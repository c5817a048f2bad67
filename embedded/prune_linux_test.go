package embedded

import (
	"errors"
	"testing"
	"time"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

func TestPruneFilters(t *testing.T) {
	cfg := &state.Config{Created: time.Now().Add(-time.Hour), Spec: engine.Spec{Labels: map[string]string{"a": "1", "b": ""}},
		ImageConfig: engine.ImageConfig{Labels: map[string]string{"a": "image", "of": "image"}}}
	for _, c := range []struct {
		filters engine.Filters
		want    bool
	}{
		{nil, true},
		{engine.Filters{"label": {"a"}}, true},
		{engine.Filters{"label": {"a=1"}}, true},
		{engine.Filters{"label": {"a=2"}}, false},
		{engine.Filters{"label": {"a", "c"}}, false},
		{engine.Filters{"label": {"b="}}, true},
		{engine.Filters{"label": {"of=image"}}, true},
		{engine.Filters{"label!": {"of"}}, false},
		{engine.Filters{"label": {"a=image"}}, false},
		{engine.Filters{"label!": {"a"}}, false},
		{engine.Filters{"label!": {"a=2", "c"}}, true},
		{engine.Filters{"until": {"30m"}}, true},
		{engine.Filters{"until": {"2h"}}, false},
		{engine.Filters{"until": {"30m", "2h"}}, false},
		{engine.Filters{"until": {"1970-01-01"}}, false},
	} {
		f, err := pruned(c.filters)
		if err != nil {
			t.Errorf("%v: %v", c.filters, err)
		} else if got := f(cfg); got != c.want {
			t.Errorf("%v chooses: %v, want %v", c.filters, got, c.want)
		}
	}
	for _, bad := range []engine.Filters{{"nosuch": {"x"}}, {"until": {"yesterday"}}} {
		if _, err := pruned(bad); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%v: got %v, want an InvalidError", bad, err)
		}
	}
}
