package rig

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// Kinds are the two APIs that a Fake speaks.
var Kinds = []string{"docker", "podman"}

// ID is the ID of everything that a Fake has.
const ID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// Fake is a scripted engine: it answers what a client asks while it connects and
// makes handles, as the engine of its Kind would; the test's own answers come
// first. It is safe for concurrent use.
type Fake struct {
	Kind string
	Host string // unix://…
	Path string // of the socket

	mu      sync.Mutex
	script  http.HandlerFunc
	stalled bool
	seen    []string
	over    chan struct{}
}

// StartFake starts a Fake, which ends with the test.
func StartFake(t testing.TB, kind string) *Fake {
	t.Helper()
	l := Listen(t, "unix")
	f := NewFake(kind)
	f.Path = l.Addr().String()
	f.Host = "unix://" + f.Path
	srv := &http.Server{Handler: f, ErrorLog: log.New(io.Discard, "", 0)} // it would tell of what the tests do
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(l)
	}()
	t.Cleanup(func() {
		close(f.over)
		srv.Close()
		<-done
	})
	return f
}

// NewFake makes a Fake for a server of the caller's.
func NewFake(kind string) *Fake { return &Fake{Kind: kind, over: make(chan struct{})} }

// Answer makes h answer requests from now on; it sees paths without the API's
// version ("/containers/x/json", "/libpod/containers/x/json"). What it leaves
// alone, by calling Default, is answered as before. nil is none.
func (f *Fake) Answer(h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script = h
}

// Stall makes the server accept requests and never answer them.
func (f *Fake) Stall(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stalled = on
}

// Requests are those so far, as "METHOD path".
func (f *Fake) Requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.seen...)
}

// Block returns when the client has gone or the test ends.
func (f *Fake) Block(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-f.over:
	}
}

var versionPrefix = regexp.MustCompile(`^/v[0-9][0-9.]*/`)

// ServeHTTP implements http.Handler.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.URL.Path = versionPrefix.ReplaceAllString(r.URL.Path, "/")
	f.mu.Lock()
	f.seen = append(f.seen, r.Method+" "+r.URL.Path)
	stalled, script := f.stalled, f.script
	f.mu.Unlock()
	if stalled {
		f.Block(r)
		panic(http.ErrAbortHandler)
	}
	f.head(w)
	if script != nil {
		script(w, r)
		return
	}
	f.Default(w, r)
}

// head sets the headers by which clients know the engine.
func (f *Fake) head(w http.ResponseWriter) {
	if f.Kind == "podman" {
		w.Header().Set("Libpod-Api-Version", "5.8.2")
		w.Header().Set("Server", "Libpod/5.8.2 (linux)")
		w.Header().Set("Api-Version", "1.41")
		return
	}
	w.Header().Set("Api-Version", "1.51")
	w.Header().Set("Server", "Docker/28.5.2 (linux)")
}

// defaults are the answers of the engines, by a pattern of method and path.
var defaults = []struct{ pattern, docker, podman string }{
	{`GET /_ping`, `OK`, `OK`},
	{`GET (/libpod)?/version`, `{"Version":"28.5.2","ApiVersion":"1.51","MinAPIVersion":"1.24","Os":"linux","Arch":"amd64"}`,
		`{"Version":"5.8.2","Components":[{"Name":"Podman Engine","Version":"5.8.2","Details":{"APIVersion":"5.8.2","MinAPIVersion":"4.0.0"}}],"Os":"linux","Arch":"amd64"}`},
	{`GET (/libpod)?/info`, `{"ID":"x","ServerVersion":"28.5.2","OSType":"linux","Architecture":"x86_64","CgroupVersion":"2"}`,
		`{"host":{"arch":"amd64","os":"linux","cgroupVersion":"v2"},"version":{"Version":"5.8.2","APIVersion":"5.8.2"}}`},
	{`GET (/libpod)?/containers/[^/]+/json`, `{"Id":"` + ID + `","Name":"/c","Image":"sha256:` + ID + `","State":{"Status":"running","Running":true,"Pid":1},"Config":{"Image":"busybox"},"HostConfig":{},"NetworkSettings":{}}`,
		`{"Id":"` + ID + `","Name":"c","Image":"` + ID + `","ImageName":"busybox","State":{"Status":"running","Running":true,"Pid":1},"Config":{"Image":"busybox"},"HostConfig":{},"NetworkSettings":{}}`},
	{`GET (/libpod)?/images/.+/json`, `{"Id":"sha256:` + ID + `","RepoTags":["busybox:latest"]}`, `{"Id":"` + ID + `","RepoTags":["busybox:latest"]}`},
	{`GET (/libpod)?/volumes/[^/]+(/json)?`, `{"Name":"v"}`, `{"Name":"v"}`},
	{`GET (/libpod)?/networks/[^/]+(/json)?`, `{"Name":"n","Id":"` + ID + `"}`, `{"name":"n","id":"` + ID + `"}`},
	{`GET (/libpod)?/secrets/[^/]+(/json)?`, `{}`, `{"ID":"` + ID + `","Spec":{"Name":"s"}}`},
	{`POST (/libpod)?/containers/create`, `{"Id":"` + ID + `","Warnings":[]}`, `{"Id":"` + ID + `","Warnings":[]}`},
	{`POST (/libpod)?/containers/[^/]+/exec`, `{"Id":"` + ID + `"}`, `{"Id":"` + ID + `"}`},
	{`GET (/libpod)?/exec/[^/]+/json`, `{"ID":"` + ID + `","ContainerID":"` + ID + `","Running":true,"Pid":1}`, `{"ID":"` + ID + `","ContainerID":"` + ID + `","Running":true,"Pid":1}`},
	{`DELETE /containers/[^/]+`, ``, ``},
	{`DELETE /libpod/containers/[^/]+`, ``, `[]`},
	{`POST (/libpod)?/containers/[^/]+/(start|stop|kill|pause|unpause|restart|rename)`, ``, ``},
}

// Default answers as the engine would, 404 to what a test has to script.
func (f *Fake) Default(w http.ResponseWriter, r *http.Request) {
	for _, d := range defaults {
		if !regexp.MustCompile("^" + d.pattern + "$").MatchString(r.Method + " " + r.URL.Path) {
			continue
		}
		body := d.docker
		if f.Kind == "podman" {
			body = d.podman
		}
		io.Copy(io.Discard, r.Body)
		switch {
		case body == "":
			w.WriteHeader(http.StatusNoContent)
			return
		case strings.Contains(r.URL.Path, "/create"), strings.HasSuffix(r.URL.Path, "/exec"):
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
		case body[0] == '{' || body[0] == '[':
			w.Header().Set("Content-Type", "application/json")
		}
		io.WriteString(w, body)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNotFound)
	fmt.Fprintf(w, `{"message":"not scripted: %s %s","cause":"not scripted","response":404}`, r.Method, r.URL.Path)
}

// Raw sends exactly these bytes as the answer to r and closes the connection.
func Raw(w http.ResponseWriter, text string) {
	conn := TakeOver(w)
	io.WriteString(conn, text)
	conn.Close()
}

// TakeOver returns the connection of a request.
func TakeOver(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err) // the server is ours: it can
	}
	return conn
}

// JSON answers with a status and a JSON text.
func JSON(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, text)
}
