package docker

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

func TestParseReference(t *testing.T) {
	for in, want := range map[string]reference{
		"a":                         {"a", ""},
		"a:1":                       {"a", "1"},
		"h:5000/a":                  {"h:5000/a", ""},
		"h:5000/a:1":                {"h:5000/a", "1"},
		"a@sha256:12":               {"a", "sha256:12"},
		"h:5000/a:1@sha256:12":      {"h:5000/a", "sha256:12"},
		"registry.example/a/b/c:v1": {"registry.example/a/b/c", "v1"},
	} {
		if got, err := parseReference("image", in); err != nil || got != want {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "a:", "a@", "@sha256:1", ":1", "sha256:abc"} {
		if _, err := parseReference("image", in); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func FuzzParseReference(f *testing.F) {
	f.Add("h:5000/a:1@sha256:12")
	f.Add(":")
	f.Fuzz(func(t *testing.T, in string) {
		r, err := parseReference("image", in)
		if err != nil {
			return
		}
		if r.name == "" || !strings.HasPrefix(in, r.name) || !strings.HasSuffix(in, r.tag) || strings.Contains(r.name, "@") {
			t.Errorf("%q: %+v", in, r)
		}
	})
}

func FuzzImagePath(f *testing.F) {
	f.Add("h:5000/a/b:1")
	f.Add("../x")
	f.Fuzz(func(t *testing.T, ref string) {
		path, err := imagePath(ref, "/json")
		if err != nil {
			return
		}
		// It stays below /images, however a server takes it apart.
		segments := strings.Split(path, "/")
		if slices.Contains(segments, "..") || slices.Contains(segments, ".") || slices.Contains(segments[1:], "") || strings.ContainsAny(path, "?#\n\x00 ") || !strings.HasPrefix(path, "/images/") {
			t.Errorf("%q: %q", ref, path)
		}
	})
}

func FuzzCheckName(f *testing.F) {
	f.Add("/name")
	f.Add("a/../b")
	f.Fuzz(func(t *testing.T, id string) {
		path, err := containerPath(id, "/json")
		if err == nil && (strings.Count(path, "/") != 3 || strings.ContainsAny(path, "?#\n\x00")) {
			t.Errorf("%q: %q", id, path)
		}
	})
}

func TestWebsocketFrames(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 65535, 65536} {
		payload := bytes.Repeat([]byte{7}, n)
		b := appendFrame(nil, opBinary, payload)
		b[1] &^= maskBit // as a server sends it; the mask is then the first 4 bytes of the payload
		h, err := readFrameHead(bytes.NewReader(b))
		if err != nil || h.size != uint64(n) || !h.final || h.opcode != opBinary {
			t.Errorf("%d: %+v, %v", n, h, err)
		}
	}
	for name, b := range map[string]string{
		"masked":          "\x82\x81",
		"reserved bits":   "\xc2\x01",
		"opcode":          "\x83\x00",
		"large ping":      "\x89\x7e\x01\x00",
		"ping in parts":   "\x09\x00",
		"beyond measure":  "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
		"cut in its head": "\x82\x7e\x01",
	} {
		if h, err := readFrameHead(strings.NewReader(b)); err == nil || err == io.EOF {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

func FuzzWebsocketFrame(f *testing.F) {
	f.Add([]byte("\x82\x03abc\x89\x00\x88\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		w := newTestWebsocket(in)
		if out, err := io.ReadAll(w); len(out) > len(in) || err == nil && len(in) == 0 && len(out) > 0 {
			t.Errorf("%d bytes of %d, %v", len(out), len(in), err)
		}
	})
}

func TestLayers(t *testing.T) {
	var l layers
	steps := []struct {
		message string
		want    engine.PullProgress
	}{
		{`{"status":"Pulling from library/x","id":"1"}`, engine.PullProgress{}},
		{`{"status":"Pulling fs layer","id":"a"}`, engine.PullProgress{Layers: 1}},
		{`{"status":"Already exists","id":"z"}`, engine.PullProgress{Layers: 2, Done: 1}},
		{`{"status":"Downloading","id":"a","progressDetail":{"current":10,"total":100}}`, engine.PullProgress{Layers: 2, Done: 1, Current: 10, Total: 100}},
		{`{"status":"Downloading","id":"b","progressDetail":{"current":5,"total":50}}`, engine.PullProgress{Layers: 3, Done: 1, Current: 15, Total: 150}},
		{`{"status":"Download complete","id":"a"}`, engine.PullProgress{Layers: 3, Done: 1, Current: 105, Total: 150}},
		{`{"status":"Extracting","id":"a","progressDetail":{"current":1,"total":100}}`, engine.PullProgress{Layers: 3, Done: 1, Current: 105, Total: 150}},
		{`{"status":"Pull complete","id":"a"}`, engine.PullProgress{Layers: 3, Done: 2, Current: 105, Total: 150}},
		{`{"status":"Pull complete","id":"b"}`, engine.PullProgress{Layers: 3, Done: 3, Current: 150, Total: 150}},
		{`{"status":"Digest: sha256:1"}`, engine.PullProgress{Layers: 3, Done: 3, Current: 150, Total: 150}},
	}
	for _, s := range steps {
		var m wireProgress
		if err := json.Unmarshal([]byte(s.message), &m); err != nil {
			t.Fatal(err)
		}
		s.want.Status, s.want.ID = m.Status, m.ID
		if diff := cmp.Diff(s.want, l.add(&m)); diff != "" {
			t.Errorf("%s: -want +got\n%s", s.message, diff)
		}
	}
}

func TestDecodeEvent(t *testing.T) {
	for raw, want := range map[string]engine.Event{
		`{"Type":"container","Action":"exec_start: ls -l","Actor":{"ID":"c","Attributes":{"image":"i","name":"n"}},"timeNano":5}`: {Type: "container", Action: "exec_start", Raw: "exec_start: ls -l", ID: "c", Name: "n", Image: "i"},
		`{"Type":"container","Action":"health_status: healthy","Actor":{"ID":"c"}}`:                                               {Type: "container", Action: "health_status", Raw: "health_status: healthy", ID: "c", Attributes: map[string]string{"health_status": "healthy"}},
		`{"Type":"container","Action":"die","Actor":{"ID":"c","Attributes":{"exitCode":"137"}}}`:                                  {Type: "container", Action: "die", Raw: "die", ID: "c", ExitCode: new(137)},
		`{"Type":"volume","Action":"create","Actor":{"ID":"v"},"scope":"local"}`:                                                  {Type: "volume", Action: "create", Raw: "create", ID: "v", Name: "v", Scope: "local"},
		`{"Type":"network","Action":"connect","Actor":{"ID":"n","Attributes":{"name":"bridge"}}}`:                                 {Type: "network", Action: "connect", Raw: "connect", ID: "n", Name: "bridge"},
	} {
		got, err := decodeEvent(json.RawMessage(raw))
		if err != nil {
			t.Fatal(err)
		}
		if want.Attributes == nil {
			got.Attributes = nil
		}
		got.RawJSON, got.Time = nil, want.Time
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", raw, diff)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"read":"2026-11-21T18:53:01.9Z","cpu_stats":{"cpu_usage":{"total_usage":1}}}`))
	f.Add([]byte(`{"Type":"container","Action":"health_status: x","Actor":{}}`))
	f.Add([]byte(`{"Id":"x","State":{"StartedAt":""},"NetworkSettings":{"Ports":{"80/tcp":[{"HostPort":"x"}]},"Networks":{"a":null}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		decodeStats(raw)
		decodeEvent(raw)
		var v wire.Raw[wireVolume]
		if json.Unmarshal(raw, &v) == nil {
			volumeAttrs(&v)
		}
		var n wire.Raw[wireNetwork]
		if json.Unmarshal(raw, &n) == nil {
			networkAttrs(&n)
		}
		var c wireContainer
		if json.Unmarshal(raw, &c) == nil {
			attrs(&c)
		}
		var s wireSummary
		if json.Unmarshal(raw, &s) == nil {
			summary(&s)
		}
	})
}
