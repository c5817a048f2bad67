package berth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/connect"
	"github.com/berthdev/berth/internal/fakeengine"
	"github.com/berthdev/berth/internal/leaktest"
)

// fakeServer answers what New asks of an engine. ping is the header of /_ping.
func fakeServer(t *testing.T, path string, ping map[string]string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for k, v := range ping {
			w.Header().Set(k, v)
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/_ping"):
			io.WriteString(w, "OK")
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			io.WriteString(w, "[]")
		default:
			io.WriteString(w, `{"Id":"x","OSType":"linux","Architecture":"x86_64","ServerVersion":"1","ApiVersion":"1.41","MinAPIVersion":"1.12","host":{"os":"linux","arch":"amd64"},"version":{"Version":"5.0.0"}}`)
		}
	}))
	srv.Listener.Close()
	srv.Listener = l
	srv.Start()
	t.Cleanup(srv.Close)
}

var (
	dockerPing = map[string]string{"Api-Version": "1.41", "Server": "Docker/20.10"}
	podmanPing = map[string]string{"Api-Version": "1.41", "Libpod-Api-Version": "5.0.0", "Server": "Libpod/5.0.0"}
)

// testEnv is a machine whose user's sockets are below dir; only its variables are set.
func testEnv(dir string, vars map[string]string) connect.Env {
	return connect.Env{
		GOOS: "linux", UID: 1000, Home: filepath.Join(dir, "home"),
		Getenv: func(k string) string { return vars[k] },
		Stat:   os.Stat, ReadFile: os.ReadFile, ReadDir: os.ReadDir,
	}
}

// within keeps the machine's own well-known sockets out: a dialer that knows only paths below dir.
func within(dir string) Option {
	return WithDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		if network == "unix" && !strings.HasPrefix(address, dir) {
			return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", fs.ErrNotExist)}
		}
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	})
}

// linkedEngines are the engines linked into the program, for a test.
func linkedEngines(e map[string]engine.Engine) Option {
	return func(o *options) {
		o.registered = func() []string {
			var names []string
			for name := range e {
				names = append(names, name)
			}
			return names
		}
		o.opener = func(name string) (engine.OpenFunc, bool) {
			return func(context.Context, *slog.Logger) (engine.Engine, error) { return e[name], nil }, e[name] != nil
		}
	}
}

func TestNewTellsEnginesApart(t *testing.T) {
	for name, ping := range map[string]map[string]string{"docker": dockerPing, "podman": podmanPing} {
		leaktest.Check(t)
		dir := t.TempDir()
		path := filepath.Join(dir, "misleading-name.sock")
		fakeServer(t, path, ping)
		cli, err := New(t.Context(), withEnv(testEnv(dir, nil)), WithHost("unix://"+path))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		id := cli.Engine()
		if id.Name != name || id.Host != "unix://"+path || id.Source != "WithHost" || id.Local {
			t.Errorf("%s: identity %+v", name, id)
		}
		for range 2 {
			if err := cli.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
	}
}

func TestNewByEnvironment(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "d.sock")
	fakeServer(t, path, dockerPing)
	for _, key := range []string{"DOCKER_HOST", "CONTAINER_HOST"} {
		cli, err := New(t.Context(), withEnv(testEnv(dir, map[string]string{key: "unix://" + path})))
		if err != nil {
			t.Fatal(err)
		}
		if got := cli.Engine().Source; got != key {
			t.Errorf("source %q, want %q", got, key)
		}
		cli.Close()
	}
}

// An explicit choice that fails is the end: nothing else is tried.
func TestNewExplicitFailure(t *testing.T) {
	leaktest.Check(t)
	dir := t.TempDir()
	env := map[string]string{"XDG_RUNTIME_DIR": dir}
	fakeServer(t, filepath.Join(dir, "docker.sock"), dockerPing)
	env["DOCKER_HOST"] = "unix://" + filepath.Join(dir, "nosuch.sock")
	_, err := New(t.Context(), withEnv(testEnv(dir, env)), linkedEngines(map[string]engine.Engine{"embedded": fakeengine.New(nil)}))
	ce, ok := errors.AsType[*ConnectError](err)
	if !ok || len(ce.Tried) != 1 || ce.Tried[0].Source != "DOCKER_HOST" || !errors.Is(err, ErrUnavailable) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestNewWellKnownSockets(t *testing.T) {
	leaktest.Check(t)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "podman"), 0o700); err != nil {
		t.Fatal(err)
	}
	env := withEnv(testEnv(dir, map[string]string{"XDG_RUNTIME_DIR": dir}))
	fakeServer(t, filepath.Join(dir, "podman", "podman.sock"), podmanPing)
	cli, err := New(t.Context(), env, within(dir))
	if err != nil {
		t.Fatal(err)
	}
	if id := cli.Engine(); id.Name != "podman" || id.Source != "well-known socket" {
		t.Errorf("identity %+v", id)
	}
	cli.Close()

	// Docker's place comes first, and a name narrows the search.
	fakeServer(t, filepath.Join(dir, "docker.sock"), dockerPing)
	for host, want := range map[string]string{"": "docker", "docker": "docker", "podman": "podman"} {
		cli, err := New(t.Context(), env, within(dir), WithHost(host))
		if err != nil {
			t.Fatal(err)
		}
		if got := cli.Engine().Name; got != want {
			t.Errorf("host %q: %s", host, got)
		}
		cli.Close()
	}
}

// A socket that does not answer has the probe's timeout, and the search goes on.
func TestNewProbeTimeout(t *testing.T) {
	leaktest.Check(t)
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, "docker.sock")) // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = New(soon(t), withEnv(testEnv(dir, map[string]string{"XDG_RUNTIME_DIR": dir})), within(dir), WithProbeTimeout(50*time.Millisecond))
	if !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer within 50ms") {
		t.Errorf("error %v", err)
	}
	// It is ctx that bounds the wait for an engine that was chosen.
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = New(ctx, withEnv(testEnv(dir, nil)), WithHost("unix://"+filepath.Join(dir, "docker.sock")), WithProbeTimeout(time.Nanosecond))
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnavailable) {
		t.Errorf("error %v", err)
	}
}

// The probe's timeout is for all that is asked: what answers /_ping and nothing
// after it does not hold the search either.
func TestNewProbeTimeoutAfterPing(t *testing.T) {
	for name, ping := range map[string]map[string]string{"docker": dockerPing, "podman": podmanPing} {
		t.Run(name, func(t *testing.T) {
			leaktest.Check(t)
			dir := t.TempDir()
			l, err := net.Listen("unix", filepath.Join(dir, "docker.sock"))
			if err != nil {
				t.Fatal(err)
			}
			asked := make(chan string, 8)
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for k, v := range ping {
					w.Header().Set(k, v)
				}
				if strings.HasSuffix(r.URL.Path, "/_ping") {
					io.WriteString(w, "OK")
					return
				}
				asked <- r.URL.Path
				<-r.Context().Done()
			}))
			srv.Listener.Close()
			srv.Listener = l
			srv.Start()
			defer srv.Close()
			// The search goes on to what is linked in.
			cli, err := New(soon(t), withEnv(testEnv(dir, map[string]string{"XDG_RUNTIME_DIR": dir})), within(dir), WithProbeTimeout(200*time.Millisecond),
				linkedEngines(map[string]engine.Engine{"embedded": fakeengine.New(nil)}))
			if err != nil {
				t.Fatal(err)
			}
			cli.Close()
			if path := <-asked; !strings.HasSuffix(path, "/info") {
				t.Errorf("asked for %s", path)
			}
			_, err = New(soon(t), withEnv(testEnv(dir, map[string]string{"XDG_RUNTIME_DIR": dir})), within(dir), WithProbeTimeout(200*time.Millisecond))
			if !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer within 200ms") {
				t.Errorf("error %v", err)
			}
			// It is ctx alone that bounds the wait for an engine that was chosen.
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err = New(ctx, withEnv(testEnv(dir, nil)), WithHost("unix://"+filepath.Join(dir, "docker.sock")), WithProbeTimeout(time.Nanosecond))
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnavailable) || strings.Contains(err.Error(), "no answer within") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestNewPermissionDenied(t *testing.T) {
	denied := WithDialer(func(_ context.Context, network, address string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: fs.ErrPermission}
	})
	env := withEnv(testEnv(t.TempDir(), nil))
	_, err := New(t.Context(), env, denied)
	if ce, ok := errors.AsType[*ConnectError](err); !ok || len(ce.Tried) != 1 || !errors.Is(err, fs.ErrPermission) || !errors.Is(err, ErrUnauthorized) {
		t.Errorf("without another engine: %v", err)
	}
	e := fakeengine.New(nil)
	cli, err := New(t.Context(), env, denied, linkedEngines(map[string]engine.Engine{"embedded": e}))
	if err != nil {
		t.Fatal(err)
	}
	if cli.Engine().Name != "fake" {
		t.Errorf("engine %+v", cli.Engine())
	}
	if cli.Close(); !e.Closed() {
		t.Error("Close did not close the engine")
	}
}

func TestNewByName(t *testing.T) {
	e := fakeengine.New(nil)
	env := withEnv(testEnv(t.TempDir(), nil))
	cli, err := New(t.Context(), env, WithHost("embedded"), linkedEngines(map[string]engine.Engine{"embedded": e}))
	if err != nil {
		t.Fatal(err)
	}
	cli.Close()
	_, err = New(t.Context(), env, WithHost("embedded"), linkedEngines(nil))
	if err == nil || !strings.Contains(err.Error(), "embedded") {
		t.Errorf("an engine that is not linked in: %v", err)
	}
}

func TestNewInvalid(t *testing.T) {
	env := withEnv(testEnv(t.TempDir(), nil))
	e := fakeengine.New(nil)
	for name, opts := range map[string][]Option{
		"address":         {WithHost("bogus://x")},
		"probe":           {WithProbeTimeout(0)},
		"cleanup":         {WithCleanupTimeout(-1)},
		"engine and host": {WithEngine(e), WithHost("unix:///x")},
		"engine, version": {WithEngine(e), WithAPIVersion("1.41")},
		"engine, tls":     {WithEngine(e), WithTLSFiles("", "", "")},
		"engine, dialer":  {WithEngine(e), within("/")},
		"engine, tracer":  {WithEngine(e), WithTracer(&tracer{})},
		"engine, context": {WithEngine(e), WithContext("x")},
	} {
		if _, err := New(t.Context(), append(opts, env)...); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := New(t.Context(), env, WithContext("nosuch"))
	if err == nil || !strings.Contains(err.Error(), `"nosuch"`) {
		t.Errorf("unknown context: %v", err)
	}
	for name, opts := range map[string][]Option{
		"tls of a socket": {WithHost("unix:///x"), WithTLSFiles("", "", "")},
		"dialer of ssh":   {WithHost("ssh://x"), within("/")},
	} {
		if _, err := New(t.Context(), append(opts, env)...); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What answers must be an engine.
func TestNewNoEngine(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web.sock")
	fakeServer(t, path, map[string]string{"Server": "nginx"})
	_, err := New(t.Context(), withEnv(testEnv(dir, nil)), WithHost("unix://"+path))
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "nginx") {
		t.Errorf("error %v", err)
	}
}

// tracer notes the requests.
type tracer struct {
	mu    sync.Mutex
	paths []string
}

func (r *tracer) Start(ctx context.Context, method, path string) (context.Context, func(int, error)) {
	return ctx, func(status int, err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.paths = append(r.paths, method+" "+path)
	}
}

func TestNewTracerAndRoundTripper(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "d.sock")
	fakeServer(t, path, dockerPing)
	tr := &tracer{}
	var mu sync.Mutex
	seen := 0
	cli, err := New(t.Context(), withEnv(testEnv(dir, nil)), WithHost("unix://"+path), WithTracer(tr),
		WithRoundTripper(func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				mu.Lock()
				seen++
				mu.Unlock()
				return next.RoundTrip(r)
			})
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer cli.Close()
	if _, err := cli.Containers.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(tr.paths) < 2 || tr.paths[0] != "GET /_ping" || seen != len(tr.paths) {
		t.Errorf("traced %v, %d round trips", tr.paths, seen)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestNewOverTLS(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		io.WriteString(w, `{"OSType":"linux","Architecture":"x86_64","ServerVersion":"1","ApiVersion":"1.41","MinAPIVersion":"1.12"}`)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	cfg := &tls.Config{RootCAs: roots, Certificates: srv.TLS.Certificates}
	env := withEnv(testEnv(t.TempDir(), nil))
	addr := srv.Listener.Addr().String()
	for name, opts := range map[string][]Option{
		"tcp":    {WithHost("tcp://" + addr), WithTLS(cfg)},
		"https":  {WithHost("https://" + addr), WithTLS(cfg)},
		"dialer": {WithHost("tcp://" + addr), WithTLS(cfg), within("/")},
	} {
		cli, err := New(soon(t), append(opts, env)...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		cli.Close()
	}
	for name, opts := range map[string][]Option{
		"unknown authority": {WithHost("https://" + addr)},
		"no certificate":    {WithHost("tcp://" + addr), WithTLS(&tls.Config{RootCAs: roots})},
		"plain":             {WithHost("tcp://" + addr)},
		"no such file":      {WithHost("tcp://" + addr), WithTLSFiles("/nosuch/ca.pem", "", "")},
	} {
		if _, err := New(soon(t), append(opts, env)...); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if cfg.ServerName != "" {
		t.Error("the caller's configuration was modified")
	}
}
