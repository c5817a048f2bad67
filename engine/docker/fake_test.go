package docker

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
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

// fake is a scripted engine on a unix socket. It answers /version and /info by itself.
type fake struct {
	api, minAPI string
	info        map[string]any
	handle      func(w http.ResponseWriter, r *http.Request, body string) // everything else

	path string
	mu   sync.Mutex
	got  []request
}

// startFake serves f until the end of the test.
func startFake(t *testing.T, f *fake) {
	t.Helper()
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
	path := r.URL.Path
	if i := strings.Index(path[1:], "/"); strings.HasPrefix(path, "/v1.") && i > 0 {
		path = path[i+1:]
	}
	switch path {
	case "/version":
		json.NewEncoder(w).Encode(map[string]any{"ApiVersion": f.api, "MinAPIVersion": f.minAPI, "Version": "99.1"})
		return
	case "/info":
		info := map[string]any{"OSType": "linux", "Architecture": "x86_64", "ServerVersion": "28.5.2", "CgroupVersion": "1", "SwapLimit": true, "OomKillDisable": true, "RuncCommit": map[string]any{"ID": "1.3.6"}}
		maps.Copy(info, f.info)
		json.NewEncoder(w).Encode(info)
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
		http.Error(w, `{"message":"page not found"}`, http.StatusNotFound)
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
	if f.api == "" {
		f.api = MaxAPIVersion
	}
	if f.minAPI == "" {
		f.minAPI = "1.24"
	}
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
func fail(w http.ResponseWriter, status int, message string) {
	answer(w, status, fmt.Sprintf(`{"message":%q}`, message))
}
