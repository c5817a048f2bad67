package podman

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/wire"
)

func TestOpen(t *testing.T) {
	tests := []struct {
		name    string
		version string
		forced  string
		ping    http.Header
		want    string // the version of the paths
		kind    error
	}{
		{name: "old", version: "4.0.0", want: "4.0.0"},
		{name: "too old", version: "3.4.4", kind: engine.ErrUnsupported},
		{name: "development", version: "5.9.0-dev", want: "5.9.0"},
		{name: "forced", version: "5.8.2", forced: "4.3.1", want: "4.3.1"},
		{name: "forced too old", version: "5.8.2", forced: "3.0.0", kind: engine.ErrUnsupported},
		{name: "forced too new", version: "4.3.1", forced: "5.0.0", kind: engine.ErrUnsupported},
		{name: "forced nonsense", version: "4.3.1", forced: "five", kind: engine.ErrInvalid},
		{name: "nonsense", version: "x", kind: engine.ErrInvalid},
		{name: "pinged", version: "9.9.9", ping: http.Header{"Libpod-Api-Version": {"4.9.4"}}, want: "4.9.4"},
		{name: "pinged Docker", version: "9.9.9", ping: http.Header{"Api-Version": {"1.51"}}, kind: engine.ErrUnsupported},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leaktest.Check(t)
			f := &fake{version: tt.version}
			startFake(t, f)
			e, err := Open(t.Context(), Config{Wire: wire.Config{Dial: wire.DialUnix(f.path)}, APIVersion: tt.forced, Ping: tt.ping, Host: "h", Source: "s"})
			if tt.kind != nil {
				wantKind(t, "open", err, tt.kind)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if id := e.Identity(); id.APIVersion != tt.want || id.Host != "h" || id.Source != "s" || id.CgroupVersion != "1" || id.OS != "linux" || id.Arch != "amd64" {
				t.Errorf("identity is %+v", id)
			}
		})
	}
}

func TestOpenUnavailable(t *testing.T) {
	leaktest.Check(t)
	path := filepath.Join(t.TempDir(), "s")
	_, err := Open(t.Context(), Config{Wire: wire.Config{Dial: wire.DialUnix(path)}})
	wantKind(t, "no socket", err, engine.ErrUnavailable)
}

type closer struct {
	n   int
	err error
}

func (c *closer) Close() error { c.n++; return c.err }

// TestClose ends calls in progress, and closes the caller's closer once.
func TestClose(t *testing.T) {
	leaktest.Check(t)
	began := make(chan struct{}, 1)
	f := &fake{handle: func(_ http.ResponseWriter, r *http.Request, _ string) { began <- struct{}{}; <-r.Context().Done() }}
	startFake(t, f)
	c := &closer{err: errors.New("the closer's")}
	e, err := Open(t.Context(), Config{Wire: wire.Config{Dial: wire.DialUnix(f.path)}, Closer: c})
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error)
	go func() { _, err := e.ContainerExists(context.Background(), "x"); failed <- err }()
	<-began
	for range 2 {
		if err := e.Close(); !errors.Is(err, c.err) || c.n != 1 {
			t.Errorf("close: %v, %d times", err, c.n)
		}
	}
	if err := <-failed; err == nil {
		t.Error("the call in progress succeeded")
	}
	_, err = e.ContainerExists(t.Context(), "x")
	wantKind(t, "call after close", err, engine.ErrUnavailable)
}

func TestSupports(t *testing.T) {
	has := map[string][]engine.Feature{
		"4.0.0":                {engine.FeatureSecrets, engine.FeatureCDI, engine.FeatureOOMKillDisable},
		"4.4.0":                {engine.FeatureHealthStartup, engine.FeatureVolumeSubpath, engine.FeaturePlatform},
		"4.8.0 cgroup v2":      {engine.FeatureExecKill},
		"5.4.0":                {engine.FeatureUpdateRestart, engine.FeatureUpdateHealth},
		"5.4.0 never supports": nil,
	}
	lacks := map[string][]engine.Feature{
		"4.0.0":           {engine.FeatureHealthStartup, engine.FeatureVolumeSubpath, engine.FeaturePlatform, engine.FeatureExecKill, engine.FeatureUpdateRestart, engine.FeatureUpdateHealth, engine.FeatureHealthTimer},
		"4.8.0 cgroup v2": {engine.FeatureOOMKillDisable},
		"5.8.2":           {engine.FeatureLinks, engine.FeatureHealthStart, engine.FeatureWebsocketAttach, engine.FeatureArchiveCompress, engine.FeatureUpdateZero, "no-such-feature"},
	}
	for version, list := range has {
		e := openFake(t, goldenFake(version))
		for _, f := range list {
			if !e.Supports(f) {
				t.Errorf("%s does not support %s", version, f)
			}
		}
	}
	for version, list := range lacks {
		e := openFake(t, goldenFake(version))
		for _, f := range list {
			if e.Supports(f) {
				t.Errorf("%s supports %s", version, f)
			}
		}
	}
}

func TestParseVersion(t *testing.T) {
	for in, want := range map[string]string{"5.8.2": "5.8.2", "v4.3.1": "4.3.1", "4.3": "4.3.0", "5.0.0-rc1": "5.0.0", "4.9.4-dev": "4.9.4"} {
		if v, err := parseVersion("x", in); err != nil || v.String() != want {
			t.Errorf("%s: %v, %v", in, v, err)
		}
	}
	for _, in := range []string{"", "5", "a.b.c", "1.2.3.4", "5.-1.0", "5.1000.0", "99999999999.1.1"} {
		if v, err := parseVersion("x", in); err == nil {
			t.Errorf("%q is %v", in, v)
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	f.Add("5.8.2-dev")
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parseVersion("x", s)
		if err != nil {
			return
		}
		if again, err := parseVersion("x", v.String()); err != nil || again != v {
			t.Errorf("%q is %v, which is %v, %v", s, v, again, err)
		}
	})
}

func TestNames(t *testing.T) {
	for in, want := range map[string]string{"a": "/containers/a/x", "/a": "/containers/a/x", "a b?c#d": "/containers/a%20b%3Fc%23d/x"} {
		if got, err := containerPath(in, "/x"); err != nil || got != want {
			t.Errorf("%q: %s, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "/", "%2e%2e", "a%b", "a/b", "//a", "..", "a..b", ".", "a\nb", "a\x00b"} {
		_, err := containerPath(in, "/x")
		wantKind(t, in, err, engine.ErrInvalid)
	}
	for in, want := range map[string]string{"busybox": "/images/busybox/x", "h:5000/a/b:t": "/images/h:5000/a/b:t/x", "a@sha256:12": "/images/a@sha256:12/x", "a%b": "/images/a%25b/x"} {
		if got, err := imagePath(in, "/x"); err != nil || got != want {
			t.Errorf("%q: %s, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "/a", "a//b", "a/../b", "a b", "a\n"} {
		_, err := imagePath(in, "/x")
		wantKind(t, in, err, engine.ErrInvalid)
	}
}
