package fakeregistry

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Registry is a registry. It is safe for concurrent use.
type Registry struct {
	Host     string // host:port, as engines reach it
	password string // of user "user"; "" lets everybody in

	mu        sync.Mutex
	blobs     map[string][]byte // by digest
	manifests map[string][]byte // by name:tag and name@digest
	types     map[string]string
}

// Start serves a registry to an engine of scripts/engines, whose number its name
// ends with: it sees us at 198.19.N.1, and takes plain HTTP from some ports there.
// password is that of "user"; "" lets everybody in. The test's end ends it; the
// test is skipped where there is no such address.
func Start(t testing.TB, engineName, password string) *Registry {
	t.Helper()
	number := strings.TrimLeft(engineName, "abcdefghijklmnopqrstuvwxyz")
	var l net.Listener
	var err error
	for port := 5009; port >= 5000; port-- { // other tests begin with the first
		if l, err = net.Listen("tcp", fmt.Sprintf("198.19.%s.1:%d", number, port)); err == nil {
			break
		}
	}
	if err != nil {
		t.Skipf("the engine does not see a registry here: %v", err)
	}
	r := &Registry{Host: l.Addr().String(), password: password, blobs: map[string][]byte{}, manifests: map[string][]byte{}, types: map[string]string{}}
	srv := &http.Server{Handler: r}
	done := make(chan struct{})
	go func() {
		srv.Serve(l)
		close(done)
	}()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
	return r
}

var registryPath = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs|tags)/(.+)$`)

// ServeHTTP implements [http.Handler].
func (r *Registry) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if user, password, _ := q.BasicAuth(); r.password != "" && (user != "user" || password != r.password) {
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		w.WriteHeader(401)
		io.WriteString(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`)
		return
	}
	if q.URL.Path == "/v2/" {
		return
	}
	m := registryPath.FindStringSubmatch(q.URL.Path)
	if m == nil {
		w.WriteHeader(404)
		return
	}
	name, kind, ref := m[1], m[2], m[3]
	switch {
	case kind == "tags":
		var tags []string
		for key := range r.manifests {
			if tag, ok := strings.CutPrefix(key, name+":"); ok {
				tags = append(tags, tag)
			}
		}
		json.NewEncoder(w).Encode(map[string]any{"name": name, "tags": tags})
	case kind == "manifests" && q.Method == "PUT":
		b, _ := io.ReadAll(q.Body)
		for _, key := range []string{name + ":" + ref, name + "@" + digest(b)} {
			r.manifests[key], r.types[key] = b, q.Header.Get("Content-Type")
		}
		w.Header().Set("Docker-Content-Digest", digest(b))
		w.WriteHeader(201)
	case kind == "manifests":
		key := name + ":" + ref
		if strings.Contains(ref, ":") {
			key = name + "@" + ref
		}
		b, ok := r.manifests[key]
		if !ok {
			w.WriteHeader(404)
			io.WriteString(w, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`)
			return
		}
		w.Header().Set("Content-Type", r.types[key])
		w.Header().Set("Docker-Content-Digest", digest(b))
		http.ServeContent(w, q, "", time.Time{}, bytes.NewReader(b))
	case ref == "uploads/":
		w.Header().Set("Location", fmt.Sprintf("/v2/%s/blobs/uploads/1%d", name, len(r.blobs)))
		w.WriteHeader(202)
	case q.Method == "PATCH":
		b, _ := io.ReadAll(q.Body)
		r.blobs[q.URL.Path] = append(r.blobs[q.URL.Path], b...)
		w.Header().Set("Location", q.URL.Path)
		w.Header().Set("Range", fmt.Sprintf("0-%d", len(r.blobs[q.URL.Path])-1))
		w.WriteHeader(202)
	case q.Method == "PUT":
		b, _ := io.ReadAll(q.Body)
		b = append(r.blobs[q.URL.Path], b...)
		delete(r.blobs, q.URL.Path)
		r.blobs[digest(b)] = b
		w.WriteHeader(201)
	default:
		b, ok := r.blobs[ref]
		if !ok {
			w.WriteHeader(404)
			return
		}
		http.ServeContent(w, q, "", time.Time{}, bytes.NewReader(b))
	}
}

func digest(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }
