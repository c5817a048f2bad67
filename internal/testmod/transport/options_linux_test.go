package transport

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// roundTripper adds a header and counts.
type roundTripper struct {
	next  http.RoundTripper
	count *atomic.Int32
}

func (rt roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	rt.count.Add(1)
	r = r.Clone(r.Context())
	r.Header.Set("X-Test", "seen")
	return rt.next.RoundTrip(r)
}

// TestRoundTripper: every ordinary request passes through it, those of New too,
// and no hijacked one.
func TestRoundTripper(t *testing.T) {
	for _, kind := range rig.Kinds {
		t.Run(kind, func(t *testing.T) {
			leaktest.Check(t)
			rig.NoEnvironment(t)
			f := rig.StartFake(t, kind)
			var without rig.Buffer
			var requests atomic.Int32
			f.Answer(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Test") == "" {
					io.WriteString(&without, r.Method+" "+r.URL.Path+"\n")
				} else {
					requests.Add(1)
				}
				answerAttach(f, w, r)
			})
			var count, wrapped atomic.Int32
			cli := rig.Connect(t, berth.WithHost(f.Host), berth.WithRoundTripper(func(next http.RoundTripper) http.RoundTripper {
				wrapped.Add(1)
				return roundTripper{next, &count}
			}))
			attach(t, cli)
			if requests.Load() < 3 || count.Load() != requests.Load() || wrapped.Load() == 0 {
				t.Errorf("%d requests passed, %d were counted, by %d", requests.Load(), count.Load(), wrapped.Load())
			}
			if lines := strings.Split(strings.TrimSpace(without.String()), "\n"); len(lines) != 1 || !strings.HasSuffix(lines[0], "/attach") {
				t.Errorf("requests without the header: %q", lines)
			}
		})
	}
}

// answerAttach answers an attach with one frame.
func answerAttach(f *rig.Fake, w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/attach") {
		f.Default(w, r)
		return
	}
	rig.Raw(w, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n\x01\x00\x00\x00\x00\x00\x00\x02hi")
}

// attach reads the frame of answerAttach.
func attach(t *testing.T, cli *berth.Client) {
	t.Helper()
	c, err := cli.Containers.Get(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.AttachConn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out strings.Builder
	if err := berth.Demux(&out, nil, s); err != nil || out.String() != "hi" {
		t.Errorf("attach gave %q, %v", &out, err)
	}
}

// tracer notes starts and ends.
type tracer struct {
	mu   sync.Mutex
	seen []string
	open int
	bad  []string
}

type traceKey struct{}

func (tr *tracer) Start(ctx context.Context, method, path string) (context.Context, func(int, error)) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.open++
	if strings.Contains(path, "?") {
		tr.bad = append(tr.bad, path)
	}
	return context.WithValue(ctx, traceKey{}, path), func(status int, err error) {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		tr.open--
		if (err == nil) != (status != 0) {
			tr.bad = append(tr.bad, path)
		}
		tr.seen = append(tr.seen, method+" "+path)
	}
}

// TestTracer: it sees every request once, hijacked ones too, with its end; the
// context that it returns is the request's.
func TestTracer(t *testing.T) {
	for _, kind := range rig.Kinds {
		t.Run(kind, func(t *testing.T) {
			leaktest.Check(t)
			rig.NoEnvironment(t)
			f := rig.StartFake(t, kind)
			f.Answer(func(w http.ResponseWriter, r *http.Request) { answerAttach(f, w, r) })
			tr := new(tracer)
			var withValue atomic.Int32
			cli := rig.Connect(t, berth.WithHost(f.Host), berth.WithTracer(tr), berth.WithDialer(
				func(ctx context.Context, network, address string) (net.Conn, error) {
					if ctx.Value(traceKey{}) != nil {
						withValue.Add(1)
					}
					return (&net.Dialer{}).DialContext(ctx, network, address)
				}))
			attach(t, cli)
			cli.Containers.Get(t.Context(), "/gone/")
			tr.mu.Lock()
			defer tr.mu.Unlock()
			if tr.open != 0 || len(tr.bad) > 0 || withValue.Load() == 0 {
				t.Errorf("%d requests have no end; wrong: %q; %d dials had the context", tr.open, tr.bad, withValue.Load())
			}
			if want := f.Requests(); len(tr.seen) != len(want) {
				t.Errorf("saw %q, the engine %q", tr.seen, want)
			}
			if !slices.ContainsFunc(tr.seen, func(s string) bool { return strings.HasPrefix(s, "POST ") && strings.HasSuffix(s, "/attach") }) {
				t.Errorf("no attach in %q", tr.seen)
			}
		})
	}
}

// TestTracerFailure: a request without an answer ends with its error.
func TestTracerFailure(t *testing.T) {
	leaktest.Check(t)
	rig.NoEnvironment(t)
	f := rig.StartFake(t, "docker")
	p := rig.NewProxy(t, f.Path)
	tr := new(tracer)
	cli := rig.Connect(t, berth.WithHost(p.Host()), berth.WithTracer(tr))
	p.Down()
	if err := cli.Ping(t.Context()); !errors.Is(err, berth.ErrUnavailable) {
		t.Errorf("Ping = %v", err)
	}
	if tr.open != 0 || len(tr.bad) > 0 {
		t.Errorf("%d requests have no end; wrong: %q", tr.open, tr.bad)
	}
}

// TestDialer: all connections to unix and TCP addresses are the dialer's, with the
// address that was given; such an engine is not local. Other addresses refuse it.
func TestDialer(t *testing.T) {
	leaktest.Check(t)
	rig.NoEnvironment(t)
	f := rig.StartFake(t, "docker")
	for _, tt := range []struct{ host, network, address string }{
		{"unix:///nowhere/s", "unix", "/nowhere/s"},
		{"tcp://engine.test:2375", "tcp", "engine.test:2375"},
		{"http://engine.test:2375", "tcp", "engine.test:2375"},
	} {
		var wrong, count atomic.Int32
		cli, err := berth.New(t.Context(), berth.WithHost(tt.host), berth.WithDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
			count.Add(1)
			if network != tt.network || address != tt.address {
				wrong.Add(1)
				t.Errorf("dialled %s %s, want %s %s", network, address, tt.network, tt.address)
			}
			return (&net.Dialer{}).DialContext(ctx, "unix", f.Path)
		}))
		if err != nil {
			t.Errorf("%s: %v", tt.host, err)
			continue
		}
		if cli.Engine().Local || count.Load() == 0 {
			t.Errorf("%s: %+v with %d dials", tt.host, cli.Engine(), count.Load())
		}
		cli.Close()
	}
	none := berth.WithDialer(func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("not to be called") })
	_, err := berth.New(t.Context(), berth.WithHost("ssh://127.0.0.1"), none)
	if u, ok := errors.AsType[*berth.UnsupportedError](err); !ok || u.Option != "WithDialer" {
		t.Errorf("ssh with a dialer = %v", err)
	}
	failing := berth.WithDialer(func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no route through the tunnel")
	})
	_, err = berth.New(t.Context(), berth.WithHost("tcp://engine.test:1"), failing)
	rig.Says(t, err, "no route through the tunnel", "tcp://engine.test:1")
	if !errors.Is(err, berth.ErrUnavailable) {
		t.Errorf("%v is not ErrUnavailable", err)
	}
}

// TestLoggerHasNoSecrets: neither what is logged, at any level, nor an error has
// the credentials or the environment that a call was given.
func TestLoggerHasNoSecrets(t *testing.T) {
	const password, token, value = "pass-4711-word", "token-4712", "value-4713"
	for _, kind := range rig.Kinds {
		t.Run(kind, func(t *testing.T) {
			leaktest.Check(t)
			home := rig.NoEnvironment(t)
			rig.WriteFile(t, home+"/auth.json", []byte(`{"auths":{"registry.test":{"auth":"not base64 `+token+`"}}}`), 0o600)
			t.Setenv("REGISTRY_AUTH_FILE", home+"/auth.json")
			t.Setenv("DOCKER_HOST", "")
			t.Setenv("CONTAINER_HOST", "tcp://user:"+password+"@127.0.0.1:1")
			f := rig.StartFake(t, kind)
			f.Answer(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "/images/") || strings.HasSuffix(r.URL.Path, "/containers/create") {
					io.Copy(io.Discard, r.Body)
					rig.JSON(w, 500, `{"message":"out of order","cause":"out of order","response":500}`)
					return
				}
				f.Default(w, r)
			})
			var log rig.Buffer
			logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.Level(-100)}))
			p := rig.NewProxy(t, f.Path)
			cli := rig.Connect(t, berth.WithHost(p.Host()), berth.WithLogger(logger))
			auth := &berth.RegistryAuth{Username: "u", Password: password, IdentityToken: token, ServerAddress: "registry.test"}
			spec := berth.Spec{Image: "registry.test/x", Env: map[string]string{"SECRET": value}}
			var all []error
			_, err := cli.Images.Pull(t.Context(), "registry.test/x", berth.PullOptions{Auth: auth})
			all = append(all, err)
			_, err = cli.Images.Pull(t.Context(), "registry.test/x")
			all = append(all, err)
			_, err = cli.Containers.Run(t.Context(), spec, berth.RunOptions{Auth: auth})
			all = append(all, err)
			all = append(all, cli.Images.Push(t.Context(), "registry.test/x", berth.PushOptions{Auth: auth}))
			for range 3 { // requests that are sent again are logged
				p.Cut()
				cli.Ping(t.Context())
			}
			_, err = berth.New(t.Context(), berth.WithLogger(logger))
			all = append(all, err)
			var text strings.Builder
			text.WriteString(log.String())
			for i, err := range all {
				if err == nil {
					t.Errorf("call %d did not fail", i)
					continue
				}
				text.WriteString("\n" + err.Error())
			}
			for _, secret := range []string{password, token, value} {
				if strings.Contains(text.String(), secret) {
					t.Errorf("%q is in:\n%s", secret, text.String())
				}
			}
		})
	}
}

// TestAPIVersion: a version that either side lacks is an error that names it;
// one that both have is spoken.
func TestAPIVersion(t *testing.T) {
	for _, tt := range []struct {
		kind, version string
		invalid       bool   // ErrInvalid, else ErrUnsupported
		spoken        string // "" is an error
	}{
		{"docker", "1.40", false, "1.40"},
		{"docker", "v1.41", false, "1.41"},
		{"docker", "1.12", false, ""},
		{"docker", "1.99", false, ""},
		{"docker", "2.0", true, ""},
		{"docker", "latest", true, ""},
		{"podman", "4.0.0", false, "4.0.0"},
		{"podman", "5.8.2", false, "5.8.2"},
		{"podman", "3.4.0", false, ""},
		{"podman", "99.0.0", false, ""},
		{"podman", "latest", true, ""},
	} {
		t.Run(tt.kind+" "+tt.version, func(t *testing.T) {
			leaktest.Check(t)
			rig.NoEnvironment(t)
			f := rig.StartFake(t, tt.kind)
			cli, err := berth.New(t.Context(), berth.WithHost(f.Host), berth.WithAPIVersion(tt.version))
			if err == nil {
				if got := cli.Engine().APIVersion; got != tt.spoken {
					t.Errorf("speaks %q, want %q", got, tt.spoken)
				}
				cli.Close()
				return
			}
			want := berth.ErrUnsupported
			if tt.invalid {
				want = berth.ErrInvalid
			}
			rig.Says(t, err, strings.TrimPrefix(tt.version, "v"))
			if tt.spoken != "" || !errors.Is(err, want) {
				t.Errorf("New = %v, want %v", err, want)
			}
		})
	}
}

// TestAPIVersionOfTheEnvironment: DOCKER_API_VERSION is for Docker; with Podman it
// means nothing.
func TestAPIVersionOfTheEnvironment(t *testing.T) {
	leaktest.Check(t)
	for kind, want := range map[string]string{"docker": "1.41", "podman": "5.8.2"} {
		rig.NoEnvironment(t)
		t.Setenv("DOCKER_API_VERSION", "1.41")
		f := rig.StartFake(t, kind)
		cli := rig.Connect(t, berth.WithHost(f.Host))
		if got := cli.Engine().APIVersion; got != want {
			t.Errorf("%s: speaks %q, want %q", kind, got, want)
		}
	}
}

// TestAPIVersionOfTheEngine: a real engine says no to a version that it lacks, and
// speaks an older one.
func TestAPIVersionOfTheEngine(t *testing.T) {
	e := rig.NeedEngine(t)
	leaktest.Check(t)
	rig.NoEnvironment(t)
	old, newer := "1.40", "1.51"
	if !e.Docker() {
		old, newer = "4.0.0", "99.0.0"
	}
	if e.Name == "docker28" {
		old, newer = "1.44", "1.99"
	}
	cli := e.Connect(t, berth.WithAPIVersion(old))
	if got := cli.Engine().APIVersion; got != old {
		t.Errorf("speaks %q, want %q", got, old)
	}
	if _, err := cli.Containers.List(t.Context()); err != nil {
		t.Error(err)
	}
	if res, err := cli.Containers.Run(t.Context(), rig.Spec("echo", "hi")); err != nil || string(res.Stdout) != "hi\n" {
		t.Errorf("Run = %+v, %v", res, err)
	}
	_, err := berth.New(t.Context(), berth.WithHost(e.Host), berth.WithAPIVersion(newer))
	rig.Says(t, err, newer)
	if !errors.Is(err, berth.ErrUnsupported) {
		t.Errorf("%v is not ErrUnsupported", err)
	}
}
