package docker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/leaktest"
)

const discardedWarning = "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded."

// TestCreateDiscarded removes a container of which the engine says that an option was dropped.
func TestCreateDiscarded(t *testing.T) {
	f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		if r.Method == "POST" {
			answer(w, 201, fmt.Sprintf(`{"Id":"abc","Warnings":["harmless",%q]}`, discardedWarning))
			return
		}
		w.WriteHeader(204)
	}}
	e := openFake(t, f)
	spec := &engine.Spec{Image: "x", Resources: engine.Resources{BlkioWeight: 300}}
	_, err := e.ContainerCreate(t.Context(), spec, engine.CreateOptions{})
	if u, ok := errors.AsType[*engine.UnsupportedError](err); !ok || u.Option != "Spec.Resources.BlkioWeight" || u.Reason != discardedWarning {
		t.Errorf("got %#v", err)
	}
	if got := f.requests(); len(got) != 2 || got[1].String() != "DELETE /v1.51/containers/abc?force=1&v=1" {
		t.Errorf("requests %v", got)
	}
	res, err := e.ContainerCreate(t.Context(), spec, engine.CreateOptions{AllowDiscarded: true})
	if err != nil || res.ID != "abc" || len(res.Warnings) != 2 || len(f.requests()) != 1 {
		t.Errorf("%+v, %v", res, err)
	}
}

// TestCreateOrphan cannot remove what it has made.
func TestCreateOrphan(t *testing.T) {
	f := &fake{api: "1.43", handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/create"):
			answer(w, 201, `{"Id":"abc"}`)
		case strings.HasSuffix(r.URL.Path, "/connect"):
			fail(w, 404, "network m not found")
		default:
			fail(w, 500, "device or resource busy")
		}
	}}
	e := openFake(t, f)
	_, err := e.ContainerCreate(t.Context(), &engine.Spec{Image: "x", Networks: []engine.Endpoint{{Network: "n"}, {Network: "m"}}}, engine.CreateOptions{})
	o, ok := errors.AsType[*engine.OrphanError](err)
	if !ok || o.ID != "abc" || !errors.Is(err, engine.ErrNotFound) || !strings.Contains(o.Cleanup.Error(), "busy") {
		t.Errorf("got %#v", err)
	}
}

// TestCreateCancelled is cancelled while the engine makes the container, which it learns of and removes.
func TestCreateCancelled(t *testing.T) {
	leaktest.Check(t)
	ctx, cancel := context.WithCancel(t.Context())
	removed := make(chan string, 1)
	f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		if r.Method == "DELETE" {
			removed <- r.URL.Path
			w.WriteHeader(204)
			return
		}
		cancel()
		time.Sleep(20 * time.Millisecond)
		answer(w, 201, `{"Id":"abc"}`)
	}}
	e := openFake(t, f)
	_, err := e.ContainerCreate(ctx, &engine.Spec{Image: "x"}, engine.CreateOptions{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	select {
	case path := <-removed:
		if !strings.HasSuffix(path, "/containers/abc") {
			t.Errorf("removed %s", path)
		}
	default:
		t.Error("not removed")
	}
}

// TestCreateNoAnswer is cancelled, and the engine does not answer at all: the cleanup's time limit ends it.
func TestCreateNoAnswer(t *testing.T) {
	leaktest.Check(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	f := &fake{handle: func(_ http.ResponseWriter, r *http.Request, _ string) { <-r.Context().Done() }}
	e := openFake(t, f)
	_, err := e.ContainerCreate(ctx, &engine.Spec{Image: "x"}, engine.CreateOptions{CleanupTimeout: 30 * time.Millisecond})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// TestCreatePrivilegedSeccomp: Docker before 23 ignores a profile there.
func TestCreatePrivilegedSeccomp(t *testing.T) {
	spec := &engine.Spec{Image: "x", Privileged: true, SecurityOpt: []string{`seccomp={"defaultAction":"SCMP_ACT_ALLOW"}`}}
	ok := func(w http.ResponseWriter, _ *http.Request, _ string) { answer(w, 201, `{"Id":"abc"}`) }
	for version, unsupported := range map[string]bool{"20.10.24+dfsg1": true, "28.5.2": false, "dev": false} {
		e := openFake(t, &fake{handle: ok, info: map[string]any{"ServerVersion": version}})
		_, err := e.ContainerCreate(t.Context(), spec, engine.CreateOptions{})
		if errors.Is(err, engine.ErrUnsupported) != unsupported {
			t.Errorf("%s: %v", version, err)
		}
	}
}

// TestCreateHostLimits refuses what the engine's host cannot do, before anything is sent.
func TestCreateHostLimits(t *testing.T) {
	f := &fake{info: map[string]any{"CgroupVersion": "2", "SwapLimit": false, "OomKillDisable": false}}
	e := openFake(t, f)
	_, err := e.ContainerCreate(t.Context(), &engine.Spec{
		Image:       "x",
		SecurityOpt: []string{"apparmor=p", "label=type:t", "label=disable"},
		Resources:   engine.Resources{Memory: engine.GiB, MemorySwap: 2 * engine.GiB, OOMKillDisable: new(true), MemorySwappiness: new(int64(1)), CPURealtimePeriod: 1, CPURealtimeRuntime: 1},
	}, engine.CreateOptions{})
	if err == nil {
		t.Fatal("no error")
	}
	for _, option := range []string{"MemorySwap", "OOMKillDisable", "MemorySwappiness", "CPURealtimePeriod", "CPURealtimeRuntime", "apparmor=p", "label=type:t"} {
		if !strings.Contains(err.Error(), option) {
			t.Errorf("%v does not name %s", err, option)
		}
	}
	if strings.Contains(err.Error(), "label=disable") || len(f.requests()) != 0 {
		t.Errorf("got %v", err)
	}
}

// TestConsoleSize: a terminal has its first size from the creation on, where the API has a word for it.
func TestConsoleSize(t *testing.T) {
	for _, tt := range []struct {
		api  string
		tty  bool
		size engine.Size
		want string
	}{
		{"1.42", true, engine.Size{Rows: 12, Cols: 34}, `"ConsoleSize":[12,34]`},
		{"1.41", true, engine.Size{Rows: 12, Cols: 34}, ""},
		{"1.51", false, engine.Size{Rows: 12, Cols: 34}, ""},
		{"1.51", true, engine.Size{}, ""},
	} {
		f := &fake{api: tt.api, handle: func(w http.ResponseWriter, r *http.Request, _ string) { answer(w, 201, `{"Id":"a"}`) }}
		e := openFake(t, f)
		if _, err := e.ContainerCreate(t.Context(), &engine.Spec{Image: "i", TTY: tt.tty}, engine.CreateOptions{TerminalSize: tt.size}); err != nil {
			t.Fatal(err)
		}
		body := f.requests()[0].Body
		if has := strings.Contains(body, "ConsoleSize"); has != (tt.want != "") || !strings.Contains(body, tt.want) {
			t.Errorf("%+v: body is %s", tt, body)
		}
	}
}
