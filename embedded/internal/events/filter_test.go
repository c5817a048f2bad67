//go:build linux

package events

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

func TestFilters(t *testing.T) {
	l := Open(t.TempDir())
	for i, ev := range []engine.Event{
		{Type: "container", Action: "create", ID: "c0ffee", Name: "one", Image: "busybox:latest"},
		{Type: "container", Action: "die", ID: "c0ffee", Name: "one", Image: "busybox:latest", ExitCode: new(0), Attributes: map[string]string{"app": "web", "x": "y"}},
		{Type: "container", Action: "health_status", ID: "beef", Name: "two", Image: "reg:5000/a/b", Attributes: map[string]string{"health_status": "healthy"}},
		{Type: "image", Action: "pull", ID: "sha256:12", Name: "busybox:latest"},
		{Type: "network", Action: "connect", ID: "net1", Name: "own", Attributes: map[string]string{"container": "c0ffee"}},
		{Type: "volume", Action: "create", ID: "vol"},
	} {
		ev.Time = time.Unix(int64(i), 0)
		must(t, l.Emit(ev))
	}
	for filters, want := range map[string]string{
		"":                                    "012345",
		"type=container":                      "012",
		"type=volume type=image":              "35",
		"event=create":                        "05",
		"event=health_status":                 "2",
		"event=health_status:\u00a0healthy":   "2",
		"event=health_status:\u00a0unhealthy": "",
		"container=one":                       "01",
		"container=c0":                        "01",
		"container=beef":                      "2",
		"container=one type=network":          "",
		"image=busybox":                       "013",
		"image=busybox:latest":                "013",
		"image=reg:5000/a/b":                  "2",
		"image=sha256:12":                     "3",
		"label=app":                           "1",
		"label=app=web label=x":               "1",
		"label=app=web label=z":               "",
		"network=own":                         "4",
		"volume=vo":                           "5",
		"scope=local":                         "012345",
		"scope=swarm":                         "",
		"daemon=x":                            "",
		"container=one event=die":             "1",
	} {
		list := strings.Fields(filters)
		if strings.Contains(filters, "\u00a0") {
			list = []string{strings.ReplaceAll(filters, "\u00a0", " ")}
		}
		f, err := engine.ParseFilters(list)
		must(t, err)
		var got strings.Builder
		for ev, err := range l.Events(t.Context(), engine.EventOptions{Since: time.Unix(0, 0), Until: time.Now(), Filters: f}) {
			must(t, err)
			got.WriteString(strconv.Itoa(int(ev.Time.Unix())))
		}
		if got.String() != want {
			t.Errorf("%s: %s, want %s", filters, got.String(), want)
		}
	}
	for _, err := range l.Events(t.Context(), engine.EventOptions{Filters: engine.Filters{"nosuch": {"x"}}}) {
		if !errors.Is(err, engine.ErrInvalid) {
			t.Error(err)
		}
	}
}
