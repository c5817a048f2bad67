package docker

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/wire"
)

func TestOpenNegotiates(t *testing.T) {
	tests := []struct {
		name         string
		api, minAPI  string
		forced       string
		ping         string
		want         string // version in use
		kind         error
		text         string
		wantRequests int
	}{
		{name: "older", api: "1.41", minAPI: "1.12", want: "1.41"},
		{name: "oldest", api: "1.40", minAPI: "1.12", want: "1.40"},
		{name: "newest", api: "1.51", minAPI: "1.24", want: "1.51"},
		{name: "newer", api: "1.60", minAPI: "1.44", want: "1.51"},
		{name: "too old", api: "1.39", minAPI: "1.12", kind: engine.ErrUnsupported, text: "1.40"},
		{name: "too new", api: "1.60", minAPI: "1.52", kind: engine.ErrUnsupported, text: "1.52"},
		{name: "forced", api: "1.51", minAPI: "1.24", forced: "1.43", want: "1.43"},
		{name: "forced too old", api: "1.51", minAPI: "1.24", forced: "1.24", kind: engine.ErrUnsupported, text: "1.40"},
		{name: "forced too new", api: "1.51", minAPI: "1.24", forced: "1.99", kind: engine.ErrUnsupported, text: "1.51"},
		{name: "forced nonsense", api: "1.51", minAPI: "1.24", forced: "v2", kind: engine.ErrInvalid, text: "v2"},
		{name: "ping", api: "1.99", minAPI: "1.24", ping: "1.45", want: "1.45"},
		{name: "ping without a version", api: "1.44", minAPI: "1.24", ping: " ", want: "1.44"},
		{name: "nonsense", api: "x", minAPI: "1.24", kind: engine.ErrInvalid, text: "x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{api: tt.api, minAPI: tt.minAPI}
			startFake(t, f)
			cfg := Config{Wire: wire.Config{Dial: wire.DialUnix(f.path)}, APIVersion: tt.forced}
			if tt.ping != "" {
				cfg.Ping = http.Header{"Api-Version": {strings.TrimSpace(tt.ping)}}
			}
			e, err := Open(t.Context(), cfg)
			if tt.kind != nil {
				if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if got := e.Identity().APIVersion; got != tt.want {
				t.Errorf("version %s, want %s", got, tt.want)
			}
		})
	}
}

func TestOpenUnavailable(t *testing.T) {
	leaktest.Check(t)
	path := filepath.Join(t.TempDir(), "s")
	if _, err := Open(t.Context(), Config{Wire: wire.Config{Dial: wire.DialUnix(path)}}); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("no socket: %v", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	defer l.Close()
	if _, err := Open(t.Context(), Config{Wire: wire.Config{Dial: wire.DialUnix(path)}}); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("closes: %v", err)
	}
}

// TestCloseEndsCalls closes an engine while it waits.
func TestCloseEndsCalls(t *testing.T) {
	leaktest.Check(t)
	entered := make(chan struct{})
	release := make(chan struct{})
	f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		close(entered)
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}}
	e := openFake(t, f)
	defer close(release)
	failed := make(chan error, 1)
	go func() {
		_, err := e.ContainerInspect(context.Background(), "x", engine.InspectOptions{})
		failed <- err
	}()
	<-entered
	for range 2 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-failed; !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("call in progress: %v", err)
	}
	if err := e.Ping(context.Background()); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("call after Close: %v", err)
	}
}

func TestSupports(t *testing.T) {
	old := openFake(t, &fake{api: "1.40", info: map[string]any{"SwapLimit": false, "OomKillDisable": false}})
	young := openFake(t, &fake{info: map[string]any{"CDISpecDirs": []string{"/etc/cdi"}}})
	for _, f := range []engine.Feature{
		engine.FeaturePlatform, engine.FeatureAnnotations, engine.FeatureHealthStart, engine.FeatureMultiNetwork, engine.FeatureVolumeSubpath, engine.FeatureImageMount, engine.FeatureCDI, engine.FeatureMemorySwap, engine.FeatureOOMKillDisable,
	} {
		if old.Supports(f) || !young.Supports(f) {
			t.Errorf("%s: old %v, new %v", f, old.Supports(f), young.Supports(f))
		}
	}
	for _, f := range []engine.Feature{engine.FeatureSecrets, engine.FeatureInit, engine.FeaturePods, engine.FeatureExecKill, engine.FeatureUpdateZero, engine.FeatureUmask} {
		if young.Supports(f) {
			t.Errorf("supports %s", f)
		}
	}
	if !old.Supports(engine.FeatureHTTP) || !old.Supports(engine.FeatureUpdateRestart) {
		t.Error("lacks what every Docker has")
	}
}

// TestRequests holds what Open asks for.
func TestOpenRequests(t *testing.T) {
	f := &fake{api: "1.45", minAPI: "1.24"}
	startFake(t, f)
	var paths []string
	e, err := Open(t.Context(), Config{Wire: wire.Config{Dial: wire.DialUnix(f.path), Trace: func(ctx context.Context, method, path string) (context.Context, func(int, error)) {
		paths = append(paths, method+" "+path)
		return ctx, nil
	}}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if got := strings.Join(paths, ", "); got != "GET /version, GET /info" {
		t.Errorf("requests: %s", got)
	}
}

func TestGrace(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	own, stop := withGrace(ctx, 20*time.Millisecond)
	cause := errors.New("cause")
	cancel(cause)
	if own.Err() != nil {
		t.Error("no grace")
	}
	<-own.Done()
	if context.Cause(own) != cause {
		t.Errorf("cause %v", context.Cause(own))
	}
	stop()
	own, stop = withGrace(t.Context(), time.Hour)
	stop()
	if own.Err() == nil {
		t.Error("not cancelled")
	}
}
