package normal

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

func TestMergeHealth(t *testing.T) {
	type H = engine.Healthcheck
	none := &H{Test: []string{"NONE"}}
	img := &H{Test: []string{"CMD", "i"}, Interval: time.Second, Timeout: 2 * time.Second, Retries: 7, StartPeriod: 3 * time.Second, StartInterval: 4 * time.Second}
	bare := &H{Test: []string{"CMD", "i"}}
	full := func(test string, change func(*H)) *H {
		h := &H{Test: []string{"CMD", test}, Interval: 30 * time.Second, Timeout: 30 * time.Second, Retries: 3}
		if change != nil {
			change(h)
		}
		return h
	}
	for name, c := range map[string]struct{ image, own, want *H }{
		"nothing":                        {nil, nil, nil},
		"image has an empty one":         {&H{}, nil, nil},
		"image turned it off":            {none, nil, nil},
		"off, though there is none":      {nil, none, none},
		"off":                            {img, &H{Test: []string{"NONE"}, Interval: time.Second}, none},
		"image's, completed":             {bare, nil, full("i", nil)},
		"image's":                        {img, nil, img},
		"own, completed":                 {nil, &H{Test: []string{"CMD", "o"}, Interval: time.Minute}, full("o", func(h *H) { h.Interval = time.Minute })},
		"own, though image is off":       {none, &H{Test: []string{"CMD", "o"}}, full("o", nil)},
		"own test, image's durations":    {img, &H{Test: []string{"CMD", "o"}}, &H{Test: []string{"CMD", "o"}, Interval: time.Second, Timeout: 2 * time.Second, Retries: 7, StartPeriod: 3 * time.Second, StartInterval: 4 * time.Second}},
		"own durations, image's test":    {bare, &H{Interval: time.Minute, Retries: 1}, full("i", func(h *H) { h.Interval, h.Retries = time.Minute, 1 })},
		"own durations and no test":      {nil, &H{Interval: time.Minute}, nil},
		"own durations and image is off": {none, &H{Interval: time.Minute}, nil},
		"what only an engine has": {bare, &H{OnFailure: "kill", LogMaxCount: new(uint(0)), LogMaxSize: new(uint(5)), LogDestination: "local", Startup: &engine.StartupHealthcheck{Test: []string{"CMD", "s"}}},
			full("i", func(h *H) {
				h.OnFailure, h.LogMaxCount, h.LogMaxSize, h.LogDestination = "kill", new(uint(0)), new(uint(5)), "local"
				h.Startup = &engine.StartupHealthcheck{Test: []string{"CMD", "s"}}
			})},
	} {
		got := MergeHealth(c.image, c.own)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		if got == nil {
			continue
		}
		// The result shares nothing with the arguments.
		before := cmp.Diff(c.image, c.own)
		got.Test[0] = "changed"
		if got.Startup != nil {
			got.Startup.Test[0], *got.LogMaxCount, *got.LogMaxSize = "changed", 99, 99
		}
		if cmp.Diff(c.image, c.own) != before {
			t.Errorf("%s: the result shares memory with an argument", name)
		}
		got.Test[0] = c.want.Test[0]
	}
}
