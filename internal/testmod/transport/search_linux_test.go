package transport

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/fakeengine"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// The search through the well-known sockets is tried in processes of their own,
// in which /run is empty but for what the test puts there.

// found is what such a process prints.
type found struct {
	Engine, Source, Host, Log string
	Error                     string
	Permission, Unavailable   bool
	Attempts                  []attempt // of the ConnectError
}

type attempt struct{ Host, Source, Error string }

var children = map[string]func() any{
	"nothing": func() any { return search(nil, nil) },
	"nothing, by name": func() any {
		return search(nil, nil, berth.WithHost("podman"))
	},
	"podman only": func() any { return search([]place{{"podman/podman.sock", "podman", 0o600}}, nil) },
	"docker first": func() any {
		return search([]place{{"podman/podman.sock", "podman", 0o600}, {"docker.sock", "docker", 0o600}}, nil)
	},
	"podman by name": func() any {
		return search([]place{{"podman/podman.sock", "podman", 0o600}, {"docker.sock", "docker", 0o600}}, nil, berth.WithHost("podman"))
	},
	"podman at Docker's socket": func() any { return search([]place{{"docker.sock", "podman", 0o600}}, nil) },
	"podman at Docker's socket, docker by name": func() any {
		return search([]place{{"docker.sock", "podman", 0o600}}, nil, berth.WithHost("docker"))
	},
	"stale": func() any {
		return search([]place{{"docker.sock", "", 0o600}, {"podman/podman.sock", "podman", 0o600}}, nil, berth.WithProbeTimeout(500*time.Millisecond))
	},
	"stale only": func() any {
		return search([]place{{"docker.sock", "", 0o600}}, nil, berth.WithProbeTimeout(500*time.Millisecond))
	},
	"denied": func() any {
		return search([]place{{"docker.sock", "docker", 0o600}, {"podman/podman.sock", "podman", 0o666}}, becomeNobody)
	},
	"denied, linked in": func() any {
		registerFake(nil)
		return search([]place{{"docker.sock", "docker", 0o600}}, becomeNobody)
	},
	"linked in": func() any {
		registerFake(nil)
		return search(nil, nil)
	},
	"linked in, but a socket answers": func() any {
		registerFake(nil)
		return search([]place{{"docker.sock", "docker", 0o600}}, nil)
	},
	"linked in, but broken": func() any {
		registerFake(errors.New("no state directory"))
		return search(nil, nil)
	},
	"linked in, but an explicit choice fails": func() any {
		registerFake(nil)
		os.Setenv("DOCKER_HOST", "unix:///nonexistent/s")
		return search(nil, nil)
	},
	"linked in, but Docker by name": func() any {
		registerFake(nil)
		return search(nil, nil, berth.WithHost("docker"))
	},
	"linked in, by name": func() any {
		registerFake(nil)
		return search([]place{{"docker.sock", "docker", 0o600}}, nil, berth.WithHost("embedded"))
	},
	"given": func() any {
		return search([]place{{"docker.sock", "docker", 0o600}}, nil, berth.WithEngine(fakeengine.New(nil)))
	},
}

// place is a socket below /run; kind "" accepts and never answers.
type place struct {
	name, kind string
	mode       os.FileMode
}

func registerFake(err error) {
	engine.Register("embedded", func(context.Context, *slog.Logger) (engine.Engine, error) {
		if err != nil {
			return nil, err
		}
		e := fakeengine.New(nil)
		e.ID.Name, e.ID.Source = "embedded", "linked in"
		return e, nil
	})
}

func becomeNobody() error {
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := syscall.Setgid(65534); err != nil {
		return err
	}
	return syscall.Setuid(65534)
}

// search makes the places, calls before, and tells what New finds.
func search(places []place, before func() error, opts ...berth.Option) (out found) {
	if err := rig.HideRun(); err != nil {
		return found{Error: "test: " + err.Error()}
	}
	for _, p := range places {
		if err := serve(p); err != nil {
			return found{Error: "test: " + err.Error()}
		}
	}
	if before != nil {
		if err := before(); err != nil {
			return found{Error: "test: " + err.Error()}
		}
	}
	var log rig.Buffer
	opts = append(opts, berth.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	cli, err := berth.New(context.Background(), opts...)
	out.Log = log.String()
	if err == nil {
		id := cli.Engine()
		out.Engine, out.Source, out.Host = id.Name, id.Source, id.Host
		if err := cli.Close(); err != nil {
			out.Error = err.Error()
		}
		return out
	}
	out.Error = err.Error()
	out.Permission, out.Unavailable = errors.Is(err, fs.ErrPermission), errors.Is(err, berth.ErrUnavailable)
	if ce, ok := errors.AsType[*berth.ConnectError](err); ok {
		for _, a := range ce.Tried {
			out.Attempts = append(out.Attempts, attempt{a.Host, a.Source, a.Err.Error()})
		}
	}
	return out
}

// serve listens at a place until the process ends.
func serve(p place) error {
	path := filepath.Join("/run", p.name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	if err := os.Chmod(path, p.mode); err != nil {
		return err
	}
	if p.kind != "" {
		go http.Serve(l, rig.NewFake(p.kind))
	}
	return nil
}

// look runs a search in a process of its own.
func look(t *testing.T, name string) found {
	t.Helper()
	rig.NoEnvironment(t)
	var out found
	rig.Child(t, name, &out)
	if strings.HasPrefix(out.Error, "test: ") {
		t.Fatal(out.Error)
	}
	return out
}

const (
	dockerSocket = "unix:///var/run/docker.sock"
	podmanSocket = "unix:///run/podman/podman.sock"
)

func TestSearch(t *testing.T) {
	for _, tt := range []struct{ name, engine, source, host, logged string }{
		{"podman only", "podman", "well-known socket", podmanSocket, ""},
		{"docker first", "docker", "well-known socket", dockerSocket, ""},
		{"podman by name", "podman", "well-known socket", podmanSocket, ""},
		{"podman at Docker's socket", "podman", "well-known socket", dockerSocket, ""},
		{"stale", "podman", "well-known socket", podmanSocket, ""},
		{"linked in", "embedded", "linked in", "fake", "using the one linked into the program"},
		{"linked in, but a socket answers", "docker", "well-known socket", dockerSocket, ""},
		{"linked in, by name", "embedded", "linked in", "fake", ""},
		{"given", "fake", "WithEngine", "fake", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := look(t, tt.name)
			if f.Engine != tt.engine || f.Source != tt.source || f.Host != tt.host {
				t.Errorf("found %+v, want %s at %s by %s", f, tt.engine, tt.host, tt.source)
			}
			if tt.logged == "" && f.Log != "" || !strings.Contains(f.Log, tt.logged) {
				t.Errorf("logged %q, want %q", f.Log, tt.logged)
			}
		})
	}
}

// TestSearchFails: the error lists every place in the order in which it was
// tried, and why each failed.
func TestSearchFails(t *testing.T) {
	for _, tt := range []struct {
		name        string
		first, last attempt // Error: a part of it
		count       int     // 0 is any
	}{
		{"nothing", attempt{dockerSocket, "well-known socket", "no such file"}, attempt{"unix://", "well-known socket", "no such file"}, 0},
		{"nothing, by name", attempt{podmanSocket, "well-known socket", "no such file"}, attempt{podmanSocket, "well-known socket", "no such file"}, 1},
		{"podman at Docker's socket, docker by name", attempt{dockerSocket, "well-known socket", "docker was asked for, podman answers"}, attempt{"unix://", "well-known socket", "no such file"}, 0},
		{"stale only", attempt{dockerSocket, "well-known socket", "no answer within 500ms"}, attempt{"unix://", "well-known socket", "no such file"}, 0},
		{"linked in, but broken", attempt{dockerSocket, "well-known socket", "no such file"}, attempt{"embedded", "linked into the program", "no state directory"}, 0},
		{"linked in, but an explicit choice fails", attempt{"unix:///nonexistent/s", "DOCKER_HOST", "no such file"}, attempt{"unix:///nonexistent/s", "DOCKER_HOST", "no such file"}, 1},
		{"linked in, but Docker by name", attempt{dockerSocket, "well-known socket", "no such file"}, attempt{"unix://", "well-known socket", "no such file"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := look(t, tt.name)
			if len(f.Attempts) == 0 || tt.count != 0 && len(f.Attempts) != tt.count {
				t.Fatalf("%d attempts in %+v", len(f.Attempts), f)
			}
			for i, want := range map[int]attempt{0: tt.first, len(f.Attempts) - 1: tt.last} {
				got := f.Attempts[i]
				if !strings.HasPrefix(got.Host, want.Host) || got.Source != want.Source || !strings.Contains(got.Error, want.Error) {
					t.Errorf("attempt %d is %+v, want %+v", i, got, want)
				}
			}
			for _, a := range f.Attempts {
				if !strings.Contains(f.Error, a.Host) || !strings.Contains(f.Error, a.Error) {
					t.Errorf("%q does not tell of %+v", f.Error, a)
				}
			}
			if !f.Unavailable {
				t.Errorf("%q is not ErrUnavailable", f.Error)
			}
		})
	}
}

// TestSearchDenied: a socket that is there but closed to this user ends the
// search, since another engine is not what the user meant; with an engine linked
// in, that is used, and it is logged.
func TestSearchDenied(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("it takes root to become another user")
	}
	f := look(t, "denied")
	if len(f.Attempts) != 1 || f.Attempts[0].Host != dockerSocket || !f.Permission || !strings.Contains(f.Error, "permission denied") {
		t.Errorf("denied: %+v", f)
	}
	f = look(t, "denied, linked in")
	if f.Engine != "embedded" || !strings.Contains(f.Log, "using the one linked into the program") {
		t.Errorf("denied, linked in: %+v", f)
	}
}

// TestEngineOption: WithEngine takes no address beside it, and Close closes it.
func TestEngineOption(t *testing.T) {
	rig.NoEnvironment(t)
	e := fakeengine.New(nil)
	for _, opt := range []berth.Option{berth.WithHost("/x"), berth.WithContext("x")} {
		if _, err := berth.New(t.Context(), berth.WithEngine(e), opt); !errors.Is(err, berth.ErrInvalid) {
			t.Errorf("with another choice: %v", err)
		}
	}
	cli, err := berth.New(t.Context(), berth.WithEngine(e))
	if err != nil {
		t.Fatal(err)
	}
	if err := cli.Ping(t.Context()); err != nil || !slices.Equal(e.Calls(), []string{"Ping"}) {
		t.Errorf("Ping = %v with calls %q", err, e.Calls())
	}
	if err := cli.Close(); err != nil || !e.Closed() {
		t.Errorf("Close = %v, closed: %v", err, e.Closed())
	}
}
