//go:build linux

package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/berthdev/berth/engine"
)

// fakeRegistry is a registry in memory on the loopback address. before may answer a request itself.
type fakeRegistry struct {
	host   string
	before func(w http.ResponseWriter, r *http.Request) bool

	mu   sync.Mutex
	seen []string // METHOD path
}

func startRegistry(t *testing.T) *fakeRegistry {
	t.Helper()
	f := &fakeRegistry{}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.seen = append(f.seen, r.Method+" "+r.URL.Path)
		f.mu.Unlock()
		if f.before == nil || !f.before(w, r) {
			inner.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	f.host = strings.TrimPrefix(srv.URL, "http://")
	return f
}

// count tells how many requests there were that contain all the words.
func (f *fakeRegistry) count(words ...string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
next:
	for _, s := range f.seen {
		for _, w := range words {
			if !strings.Contains(s, w) {
				continue next
			}
		}
		n++
	}
	return n
}

func (f *fakeRegistry) put(t *testing.T, repo, kind, id, mediaType string, data []byte) {
	t.Helper()
	url := "http://" + f.host + "/v2/" + repo + "/" + kind + "/" + id
	if kind == "blobs" {
		url = "http://" + f.host + "/v2/" + repo + "/blobs/uploads/?digest=" + id
	}
	method := http.MethodPut
	if kind == "blobs" {
		method = http.MethodPost
	}
	req, _ := http.NewRequest(method, url, bytes.NewReader(data))
	req.Header.Set("Content-Type", mediaType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode >= 300 {
		t.Fatalf("put %s: %s", url, resp.Status)
	}
}

// remoteLayer is a layer as it is in a registry.
type remoteLayer struct {
	plain, blob []byte
	mediaType   string
}

func gzLayer(plain []byte) remoteLayer {
	return remoteLayer{plain, gzipped(plain), dockerLayer + ".gzip"}
}
func zstdLayer(plain []byte) remoteLayer {
	return remoteLayer{plain, zstded(plain), ociLayer + "+zstd"}
}

// image puts an image into the registry, and gives the descriptor of its manifest and its ID.
func (f *fakeRegistry) image(t *testing.T, repo, tag, arch string, layers ...remoteLayer) (descriptor, string) {
	t.Helper()
	var plain [][]byte
	m := manifest{SchemaVersion: 2, MediaType: ociManifest}
	for _, l := range layers {
		plain = append(plain, l.plain)
		f.put(t, repo, "blobs", digestOf(l.blob), l.mediaType, l.blob)
		m.Layers = append(m.Layers, descriptor{MediaType: l.mediaType, Digest: digestOf(l.blob), Size: int64(len(l.blob))})
	}
	config := configOf(t, arch, plain...)
	f.put(t, repo, "blobs", digestOf(config), ociConfig, config)
	m.Config = descriptor{MediaType: ociConfig, Digest: digestOf(config), Size: int64(len(config))}
	return f.manifest(t, repo, tag, m), digestOf(config)
}

func (f *fakeRegistry) manifest(t *testing.T, repo, tag string, m manifest) descriptor {
	t.Helper()
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if tag == "" {
		tag = digestOf(data)
	}
	f.put(t, repo, "manifests", tag, m.MediaType, data)
	return descriptor{MediaType: m.MediaType, Digest: digestOf(data), Size: int64(len(data))}
}

func TestPull(t *testing.T) {
	f, s := startRegistry(t), open(t)
	a, b, c := tarOf(t, "a", "1"), tarOf(t, "b", strings.Repeat("2", 1<<20)), tarOf(t, "c", "3")
	top, id := f.image(t, "some/img", "v1", "amd64", gzLayer(a), zstdLayer(b), remoteLayer{c, c, ociLayer}, gzLayer(a))
	var last engine.PullProgress
	var calls, at atomic.Int32
	ref := f.host + "/some/img:v1"
	img, err := s.Pull(t.Context(), ref, PullOptions{Platform: "linux/amd64", Progress: func(p engine.PullProgress) {
		if at.Add(1) != 1 {
			t.Error("progress is reported concurrently")
		}
		if p.Current < last.Current || p.Done < last.Done {
			t.Errorf("progress went from %+v to %+v", last, p)
		}
		last = p
		calls.Add(1)
		at.Add(-1)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if img.ID != id || img.Config.Config.Labels["layers"] != "4" {
		t.Errorf("image is %+v", img)
	}
	if last.Layers != 3 || last.Done != 3 || last.Current != last.Total || last.Total == 0 || calls.Load() < 4 {
		t.Errorf("progress ended with %+v after %d", last, calls.Load())
	}
	if diff := cmp.Diff([]string{ref}, img.Names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{f.host + "/some/img@" + top.Digest}, img.Digests); diff != "" {
		t.Error(diff)
	}
	if content(t, s, img, "c") != "3" || len(content(t, s, img, "b")) != 1<<20 {
		t.Error("content is wrong")
	}
	clean(t, s)
	for _, by := range []string{ref, f.host + "/some/img@" + top.Digest, id, id[7:19]} {
		if got, err := s.Resolve(by); err != nil || got.ID != id {
			t.Errorf("%s: %v", by, err)
		}
	}
	// Another image with two of the layers: only the third is fetched.
	_, id2 := f.image(t, "some/other", "latest", "amd64", gzLayer(a), zstdLayer(b), gzLayer(tarOf(t, "d", "4")))
	before := f.count("GET", "/blobs/")
	if img, err = s.Pull(t.Context(), f.host+"/some/other", PullOptions{Platform: "linux/amd64"}); err != nil || img.ID != id2 {
		t.Fatal(err)
	}
	if n := f.count("GET", "/blobs/") - before; n != 2 { // the configuration and one layer
		t.Errorf("%d blobs were fetched", n)
	}
}

func TestPullChoosesPlatform(t *testing.T) {
	f := startRegistry(t)
	index := manifest{SchemaVersion: 2, MediaType: ociIndex}
	ids := map[string]string{}
	for _, p := range []platformJSON{{"amd64", "linux", ""}, {"arm64", "linux", "v8"}, {"arm", "linux", "v6"}, {"arm", "linux", "v7"}, {"amd64", "windows", ""}, {"unknown", "unknown", ""}} {
		d, id := f.image(t, "multi", "", p.Architecture, gzLayer(tarOf(t, "p", p.Architecture+p.Variant+p.OS)))
		d.Platform = &p
		index.Manifests = append(index.Manifests, d)
		ids[p.OS+"/"+p.Architecture+"/"+p.Variant] = id
	}
	top := f.manifest(t, "multi", "latest", index)
	for _, test := range []struct{ platform, want string }{
		{"linux/amd64", "linux/amd64/"}, {"linux/arm64", "linux/arm64/v8"}, {"linux/arm64/v8", "linux/arm64/v8"}, {"linux/arm", "linux/arm/v7"}, {"linux/arm/v6", "linux/arm/v6"},
		{"linux/arm/v8", "linux/arm/v7"}, {"linux/aarch64", "linux/arm64/v8"}, {"linux/arm/v5", ""}, {"linux/s390x", ""},
	} {
		s := open(t)
		img, err := s.Pull(t.Context(), f.host+"/multi", PullOptions{Platform: test.platform})
		if test.want == "" {
			if !errors.Is(err, engine.ErrImageNotFound) || !strings.Contains(err.Error(), "linux/arm64/v8") {
				t.Errorf("%s: %v", test.platform, err)
			}
			continue
		}
		if err != nil || img.ID != ids[test.want] {
			t.Errorf("%s: %v, %v", test.platform, img, err)
			continue
		}
		// The digest of the name is the index's, as Docker has it.
		if got := img.Digests; len(got) != 1 || got[0] != f.host+"/multi@"+top.Digest {
			t.Errorf("digests are %v", got)
		}
	}
	// An image for one platform, and another one was asked for.
	f.image(t, "single", "latest", "arm64", gzLayer(tarOf(t, "x", "y")))
	if _, err := open(t).Pull(t.Context(), f.host+"/single", PullOptions{Platform: "linux/amd64"}); !errors.Is(err, engine.ErrImageNotFound) {
		t.Errorf("another platform: %v", err)
	}
}

func TestPullRefused(t *testing.T) {
	f, s := startRegistry(t), open(t)
	f.image(t, "img", "latest", "amd64", gzLayer(tarOf(t, "x", "y")))
	_, err := s.Pull(t.Context(), f.host+"/nosuch", PullOptions{})
	if !errors.Is(err, engine.ErrImageNotFound) || !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("missing repository: %v", err)
	}
	if _, err := s.Pull(t.Context(), f.host+"/img:nosuch", PullOptions{}); !errors.Is(err, engine.ErrImageNotFound) {
		t.Errorf("missing tag: %v", err)
	}
	if _, err := s.Pull(t.Context(), "UPPER/case:x:y", PullOptions{}); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("bad name: %v", err)
	}
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		if user, password, _ := r.BasicAuth(); user == "u" && password == "p" {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}
	if _, err := s.Pull(t.Context(), f.host+"/img", PullOptions{}); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("no credentials: %v", err)
	}
	if _, err := s.Pull(t.Context(), f.host+"/img", PullOptions{Auth: &engine.RegistryAuth{Username: "u", Password: "wrong"}}); !errors.Is(err, engine.ErrUnauthorized) || strings.Contains(err.Error(), "wrong") {
		t.Errorf("wrong credentials: %v", err)
	}
	if _, err := s.Pull(t.Context(), f.host+"/img", PullOptions{Platform: "linux/amd64", Auth: &engine.RegistryAuth{Username: "u", Password: "p"}}); err != nil {
		t.Errorf("right credentials: %v", err)
	}
	if Unreachable(err) {
		t.Error("a registry's answer is taken for none")
	}
	if _, err := s.Pull(t.Context(), "127.0.0.1:1/img", PullOptions{}); !Unreachable(err) {
		t.Errorf("no registry: %v", err)
	}
	clean(t, s)
}

// A registry, or who is between, may send anything. Nothing of it gets into the store.
func TestPullLies(t *testing.T) {
	good := tarOf(t, "x", "y")
	evil := tarOf(t, "x", "z")
	for name, before := range map[string]func(d descriptor) func(http.ResponseWriter, *http.Request) bool{
		"layer of another content": func(d descriptor) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, d.Digest) {
					w.Write(gzipped(evil))
					return true
				}
				return false
			}
		},
		"layer is longer": func(d descriptor) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, d.Digest) {
					w.Write(append(gzipped(good), make([]byte, 1<<20)...))
					return true
				}
				return false
			}
		},
		"manifest of another digest": func(descriptor) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				if strings.Contains(r.URL.Path, "/manifests/sha256:") {
					w.Write([]byte(`{"schemaVersion":2}`))
					return true
				}
				return false
			}
		},
		"endless manifest": func(descriptor) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				if strings.Contains(r.URL.Path, "/manifests/") {
					for range 100 {
						if _, err := w.Write(make([]byte, 1<<17)); err != nil {
							break
						}
					}
					return true
				}
				return false
			}
		},
		"manifest is no JSON": func(descriptor) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				if strings.Contains(r.URL.Path, "/manifests/") {
					io.WriteString(w, "hello")
					return true
				}
				return false
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, s := startRegistry(t), open(t)
			l := gzLayer(good)
			top, _ := f.image(t, "img", "latest", "amd64", l)
			f.before = before(descriptor{Digest: digestOf(l.blob)})
			if img, err := s.Pull(t.Context(), f.host+"/img@"+top.Digest, PullOptions{Platform: "linux/amd64"}); err == nil {
				t.Errorf("pulled %v", img)
			}
			clean(t, s)
			if l := layerNames(t, s); len(l) > 0 {
				t.Errorf("layers %v", l)
			}
		})
	}
	t.Run("configuration of other layers", func(t *testing.T) {
		f, s := startRegistry(t), open(t)
		l := gzLayer(good)
		l.plain = evil
		f.image(t, "img", "latest", "amd64", l)
		if _, err := s.Pull(t.Context(), f.host+"/img", PullOptions{Platform: "linux/amd64"}); err == nil || !strings.Contains(err.Error(), digestOf(evil)) {
			t.Errorf("error is %v", err)
		}
		clean(t, s)
		if l := layerNames(t, s); len(l) > 0 {
			t.Errorf("layers %v", l)
		}
	})
}

// A connection that is lost goes on where it broke, with a registry that knows ranges and with one that does not.
func TestPullResumes(t *testing.T) {
	for _, ranges := range []bool{true, false} {
		f, s := startRegistry(t), open(t)
		noise := make([]byte, 300<<10)
		for i := range noise {
			noise[i] = byte(i * i >> 3)
		}
		l := remoteLayer{plain: tarOf(t, "x", string(noise)), mediaType: ociLayer}
		l.blob = l.plain
		_, id := f.image(t, "img", "latest", "amd64", l)
		var cuts atomic.Int32
		f.before = func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, digestOf(l.blob)) {
				return false
			}
			from := 0
			if ranges {
				if h := r.Header.Get("Range"); h != "" {
					json.Unmarshal([]byte(strings.TrimSuffix(strings.TrimPrefix(h, "bytes="), "-")), &from)
					w.Header().Set("Content-Length", "0")
					w.Header().Del("Content-Length")
					w.WriteHeader(http.StatusPartialContent)
				}
			}
			part := l.blob[from:]
			if n := cuts.Add(1); n <= 2 {
				part = part[:50<<10*int(n)]
				w.Write(part)
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			}
			w.Write(part)
			return true
		}
		img, err := s.Pull(t.Context(), f.host+"/img", PullOptions{Platform: "linux/amd64"})
		if err != nil || img.ID != id {
			t.Fatalf("ranges %v: %v", ranges, err)
		}
		if cuts.Load() != 3 {
			t.Errorf("%d requests", cuts.Load())
		}
		clean(t, s)
	}
}

// A layer that stays short is an error in the end, and nothing of it is kept.
func TestPullCutShort(t *testing.T) {
	f, s := startRegistry(t), open(t)
	l := gzLayer(tarOf(t, "x", "y"))
	f.image(t, "img", "latest", "amd64", gzLayer(tarOf(t, "a", "b")), l)
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, digestOf(l.blob)) {
			if r.Header.Get("Range") == "" {
				w.Write(l.blob[:40])
			} else {
				w.WriteHeader(http.StatusPartialContent)
			}
			return true
		}
		return false
	}
	_, err := s.Pull(t.Context(), f.host+"/img", PullOptions{Platform: "linux/amd64"})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error is %v", err)
	}
	clean(t, s)
	if l := layerNames(t, s); len(l) > 0 {
		t.Errorf("layers %v", l)
	}
}

func TestPullCancelled(t *testing.T) {
	f, s := startRegistry(t), open(t)
	l := gzLayer(tarOf(t, "x", "y"))
	f.image(t, "img", "latest", "amd64", l)
	ctx, cancel := context.WithCancel(t.Context())
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, digestOf(l.blob)) {
			cancel()
			<-r.Context().Done()
			return true
		}
		return false
	}
	if _, err := s.Pull(ctx, f.host+"/img", PullOptions{Platform: "linux/amd64"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	clean(t, s)
}

// The library would take plain HTTP from any private address.
func TestPlainHTTP(t *testing.T) {
	asked := func(host string) error {
		tr := &secured{inner: roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("sent") }), registry: host, plainHTTP: isLoopback(host)}
		req, _ := http.NewRequest(http.MethodGet, "http://"+host+"/v2/", nil)
		_, err := tr.RoundTrip(req)
		return err
	}
	for host, taken := range map[string]bool{"127.0.0.1:5000": true, "localhost": true, "[::1]:5000": true, "10.0.0.1:5000": false, "192.168.1.1": false, "registry.local": false, "docker.io": false} {
		if got := asked(host).Error() == "sent"; got != taken {
			t.Errorf("%s: plain HTTP is taken: %v", host, got)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestPullAllTags(t *testing.T) {
	f, s := startRegistry(t), open(t)
	for _, tag := range []string{"v1", "v2", "v3"} {
		f.image(t, "img", tag, "amd64", gzLayer(tarOf(t, "x", tag)))
	}
	if _, err := s.Pull(t.Context(), f.host+"/img", PullOptions{Platform: "linux/amd64", AllTags: true}); err != nil {
		t.Fatal(err)
	}
	list, err := s.List(t.Context(), engine.ImageListOptions{Name: f.host + "/img"}, nil)
	if err != nil || len(list) != 3 {
		t.Errorf("%v, %v", list, err)
	}
}

func TestPush(t *testing.T) {
	f, s := startRegistry(t), open(t)
	ref := f.host + "/mine/img:v1"
	img := imported(t, s, ref, "a", strings.Repeat("1", 500000))
	var last engine.PullProgress
	if err := s.Push(t.Context(), ref, PushOptions{Progress: func(p engine.PullProgress) { last = p }}); err != nil {
		t.Fatal(err)
	}
	if last.Current == 0 || last.Done != 1 {
		t.Errorf("progress ended with %+v", last)
	}
	other := open(t)
	back, err := other.Pull(t.Context(), ref, PullOptions{})
	if err != nil || back.ID != img.ID {
		t.Fatalf("%v, %v", back, err)
	}
	pushed, _ := s.Resolve(ref)
	if diff := cmp.Diff(pushed.Digests, back.Digests); diff != "" || len(back.Digests) != 1 {
		t.Error(diff)
	}
	// Again, elsewhere: the layer is taken over, not sent, and the manifest stays the same.
	before := f.count("PATCH")
	if err := errors.Join(other.Tag(t.Context(), ref, f.host+"/other/img"), other.Push(t.Context(), f.host+"/other/img", PushOptions{})); err != nil {
		t.Fatal(err)
	}
	again, _ := other.Resolve(ref)
	if len(again.Digests) != 2 || again.Digests[0][strings.IndexByte(again.Digests[0], '@'):] != again.Digests[1][strings.IndexByte(again.Digests[1], '@'):] {
		t.Errorf("digests are %v", again.Digests)
	}
	if n := f.count("PATCH") - before; n > 1 { // the configuration
		t.Errorf("%d blobs were sent", n)
	}
	clean(t, s)
	clean(t, other)
	if err := s.Push(t.Context(), f.host+"/nosuch", PushOptions{}); !errors.Is(err, engine.ErrImageNotFound) {
		t.Errorf("missing image: %v", err)
	}
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}
	if err := s.Push(t.Context(), ref, PushOptions{}); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("no credentials: %v", err)
	}
}

// A zstd layer is pushed as it was pulled.
func TestPushZstd(t *testing.T) {
	f, s := startRegistry(t), open(t)
	f.image(t, "a", "latest", "amd64", zstdLayer(tarOf(t, "x", "y")))
	img, err := s.Pull(t.Context(), f.host+"/a", PullOptions{Platform: "linux/amd64"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Tag(t.Context(), f.host+"/a", f.host+"/b"), s.Push(t.Context(), f.host+"/b", PushOptions{})); err != nil {
		t.Fatal(err)
	}
	back, err := open(t).Pull(t.Context(), f.host+"/b", PullOptions{Platform: "linux/amd64"})
	if err != nil || back.ID != img.ID {
		t.Error(err)
	}
}
