package podman

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/wire"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// request is one that the fake engine got.
type request struct {
	Method string
	URI    string // path and query
	Header http.Header
	Body   string
}

func (r request) String() string { return r.Method + " " + r.URI }

// fake is a scripted service on a unix socket. It answers /_ping and /info by itself.
type fake struct {
	version string // "" is the newest that is tested
	cgroup  string // "" is v1
	info    string // more of its answer to /info: members of host, with a comma at the end
	runtime string // the version that it tells of runc; 1.3.6 by default
	handle  func(w http.ResponseWriter, r *http.Request, body string)

	path string
	mu   sync.Mutex
	got  []request
}

// The versions that the fakes speak for: the oldest and the newest that are tested for real, and some between.
const (
	oldVersion = "4.3.1"
	newVersion = "5.8.2"
)

// startFake serves f until the end of the test.
func startFake(t *testing.T, f *fake) {
	t.Helper()
	if f.version == "" {
		f.version = newVersion
	}
	if f.cgroup == "" {
		f.cgroup = "v1"
	}
	f.path = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", f.path)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(f.serve)}
	done := make(chan struct{})
	go func() {
		srv.Serve(l)
		close(done)
	}()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/_ping":
		w.Header().Set("Libpod-Api-Version", f.version)
		io.WriteString(w, "OK")
		return
	case strings.HasSuffix(r.URL.Path, "/libpod/info"):
		answer(w, 200, fmt.Sprintf(`{"host":{%s"os":"linux","arch":"amd64","cgroupVersion":%q,"cgroupManager":"cgroupfs","cpus":2,"logDriver":"k8s-file","ociRuntime":{"name":"runc","path":"/usr/bin/runc","version":%q}},"version":{"Version":%q}}`,
			f.info, f.cgroup, "runc version "+cmp.Or(f.runtime, "1.3.6")+"\nspec: 1.2.1", f.version))
		return
	}
	var body []byte
	if r.Header.Get("Upgrade") == "" {
		body, _ = io.ReadAll(r.Body)
	} else if r.ContentLength > 0 {
		body = make([]byte, r.ContentLength)
		io.ReadFull(r.Body, body)
	}
	f.mu.Lock()
	f.got = append(f.got, request{r.Method, r.RequestURI, r.Header, string(body)})
	f.mu.Unlock()
	if f.handle == nil {
		http.Error(w, "Not Found", http.StatusNotFound)
		return
	}
	f.handle(w, r, string(body))
}

// requests are those so far, and forgets them.
func (f *fake) requests() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	got := f.got
	f.got = nil
	return got
}

// openFake starts f and opens an engine on it.
func openFake(t *testing.T, f *fake) *Engine {
	t.Helper()
	startFake(t, f)
	e, err := Open(t.Context(), Config{Wire: wire.Config{Dial: wire.DialUnix(f.path)}, Host: "unix://" + f.path, Source: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// answer sends a status and a body.
func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// fail sends an error as the engine does.
func fail(w http.ResponseWriter, status int, cause, message string) {
	b, _ := json.Marshal(map[string]any{"cause": cause, "message": message, "response": status})
	answer(w, status, string(b))
}
