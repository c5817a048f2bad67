package docker

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

// TestStopRequests holds how a timeout is sent: not at all, in whole seconds, or -1 for ever.
func TestStopRequests(t *testing.T) {
	f := &fake{handle: func(w http.ResponseWriter, _ *http.Request, _ string) { w.WriteHeader(204) }}
	e := openFake(t, f)
	for _, tt := range []struct {
		opts engine.StopOptions
		want string
	}{
		{engine.StopOptions{}, "POST /v1.51/containers/x/stop"},
		{engine.StopOptions{Timeout: new(time.Duration(0))}, "POST /v1.51/containers/x/stop?t=0"},
		{engine.StopOptions{Timeout: new(90 * time.Second)}, "POST /v1.51/containers/x/stop?t=90"},
		{engine.StopOptions{Timeout: new(-time.Millisecond)}, "POST /v1.51/containers/x/stop?t=-1"},
		{engine.StopOptions{Signal: "int"}, "POST /v1.51/containers/x/stop?signal=SIGINT"},
	} {
		if err := e.ContainerStop(t.Context(), "x", tt.opts); err != nil {
			t.Error(err)
		}
		if got := f.requests(); len(got) != 1 || got[0].String() != tt.want {
			t.Errorf("sent %v, want %s", got, tt.want)
		}
	}
	for _, opts := range []engine.StopOptions{{Timeout: new(1500 * time.Millisecond)}, {Signal: "NOSUCH"}} {
		if err := e.ContainerStop(t.Context(), "x", opts); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%+v: %v", opts, err)
		}
	}
	if len(f.requests()) != 0 {
		t.Error("sent a malformed request")
	}
}

func TestRemoveOptions(t *testing.T) {
	e := openFake(t, &fake{})
	for _, opts := range []engine.RemoveOptions{{Depend: true}, {Force: true, Timeout: new(time.Second)}} {
		if err := e.ContainerRemove(t.Context(), "x", opts); !errors.Is(err, engine.ErrUnsupported) {
			t.Errorf("%+v: %v", opts, err)
		}
	}
}

// TestRemoveAwaited removes what the engine is removing already, and what it then keeps.
func TestRemoveAwaited(t *testing.T) {
	for _, stays := range []bool{false, true} {
		f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) {
			switch {
			case r.Method == "DELETE":
				fail(w, 409, "removal of container x is already in progress")
			case strings.HasSuffix(r.URL.Path, "/wait"):
				answer(w, 200, `{"StatusCode":0}`)
			case stays:
				answer(w, 200, `{"Id":"x"}`)
			default:
				fail(w, 404, "No such container: x")
			}
		}}
		err := openFake(t, f).ContainerRemove(t.Context(), "x", engine.RemoveOptions{Force: true})
		if stays != errors.Is(err, engine.ErrConflict) || !stays && err != nil {
			t.Errorf("stays %v: %v", stays, err)
		}
	}
}

// TestVolumePruneOld removes anonymous volumes one by one, and reports those that it cannot.
func TestVolumePruneOld(t *testing.T) {
	a, b, c := strings.Repeat("a", 64), strings.Repeat("b", 64), strings.Repeat("c", 64)
	f := &fake{api: "1.41", handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/volumes"):
			answer(w, 200, `{"Volumes":[{"Name":"named"},{"Name":"`+a+`"},{"Name":"`+b+`"},{"Name":"`+c+`"}]}`)
		case strings.HasSuffix(r.URL.Path, "/system/df"):
			answer(w, 200, `{"Volumes":[{"Name":"`+a+`","UsageData":{"Size":7}},{"Name":"`+b+`","UsageData":{"Size":-1}}]}`)
		case strings.HasSuffix(r.URL.Path, b):
			fail(w, 500, "device or resource busy")
		case strings.HasSuffix(r.URL.Path, c):
			fail(w, 409, "volume is in use")
		case strings.HasSuffix(r.URL.Path, "/prune"):
			answer(w, 200, `{"VolumesDeleted":["named"],"SpaceReclaimed":3}`)
		default:
			w.WriteHeader(204)
		}
	}}
	e := openFake(t, f)
	report, err := e.VolumePrune(t.Context(), engine.Filters{"label": {"l"}})
	if err == nil || !slices.Equal(report.Deleted, []string{a}) || report.Reclaimed != 7 || report.Errors[b] == nil || len(report.Errors) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	f.requests()
	report, err = e.VolumePrune(t.Context(), engine.Filters{"all": {"true"}})
	if err != nil || !slices.Equal(report.Deleted, []string{"named"}) || report.Reclaimed != 3 {
		t.Errorf("%+v, %v", report, err)
	}
	if got := f.requests(); len(got) != 1 || got[0].String() != "POST /v1.41/volumes/prune" {
		t.Errorf("sent %v", got)
	}
}

func TestImagePrune(t *testing.T) {
	f := &fake{handle: func(w http.ResponseWriter, _ *http.Request, _ string) {
		answer(w, 200, `{"ImagesDeleted":[{"Untagged":"a:1"},{"Deleted":"sha256:1"}],"SpaceReclaimed":5}`)
	}}
	report, err := openFake(t, f).ImagePrune(t.Context(), engine.Filters{"dangling": {"false"}})
	if diff := cmp.Diff(engine.PruneReport{Deleted: []string{"a:1", "sha256:1"}, Reclaimed: 5}, report); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if got := f.requests()[0].URI; got != `/v1.51/images/prune?filters=%7B%22dangling%22%3A%5B%22false%22%5D%7D` {
		t.Errorf("sent %s", got)
	}
}

// TestPullPlatform pulls an image that is there for another platform.
func TestPullPlatform(t *testing.T) {
	f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		if r.Method == "GET" {
			answer(w, 200, `{"Id":"sha256:1","Os":"linux","Architecture":"arm64","Variant":"v8"}`)
			return
		}
		answer(w, 200, `{"status":"Digest"}`)
	}}
	e := openFake(t, f)
	for platform, pulled := range map[string]bool{"": false, "linux/arm64": false, "linux/arm64/v8": false, "linux/amd64": true, "windows/arm64": true} {
		if _, err := e.ImagePull(t.Context(), "x:1", engine.PullOptions{Policy: engine.PullMissing, Platform: platform}); err != nil {
			t.Error(err)
		}
		posted := slices.ContainsFunc(f.requests(), func(r request) bool { return r.Method == "POST" })
		if posted != pulled {
			t.Errorf("%q: pulled %v", platform, posted)
		}
	}
}

func TestDecodeStats(t *testing.T) {
	s, err := decodeStats([]byte(`{"id":"a","name":"/n","read":"2026-01-01T00:00:01Z","preread":"2026-01-01T00:00:00Z",
		"cpu_stats":{"cpu_usage":{"total_usage":300},"system_cpu_usage":2000,"online_cpus":2},"precpu_stats":{"cpu_usage":{"total_usage":100},"system_cpu_usage":1000,"online_cpus":2},
		"memory_stats":{"usage":100,"limit":200,"stats":{"total_inactive_file":40}},"pids_stats":{"current":1,"limit":18446744073709551615},
		"blkio_stats":{"io_service_bytes_recursive":[{"major":8,"minor":0,"op":"Read","value":5},{"op":"read","value":1},{"op":"write","value":7},{"op":"Total","value":99}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if s.CPUPercent == nil || *s.CPUPercent != 40 || s.Memory.Used != 60 || s.Memory.Percent != 30 || s.Pids.Limit != nil || s.Blkio.Read != 6 || s.Blkio.Write != 7 || s.Networks != nil || s.Name != "n" {
		t.Errorf("%+v", s)
	}
	if _, err := decodeStats([]byte(`{"read":5}`)); err == nil {
		t.Error("decoded nonsense")
	}
}

func TestGoArch(t *testing.T) {
	for kernel, want := range map[string]string{"x86_64": "amd64", "aarch64": "arm64", "i686": "386", "armv7l": "arm", "riscv64": "riscv64"} {
		if got := goArch(kernel); got != want {
			t.Errorf("%s: %s", kernel, got)
		}
	}
}
