package embedded

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/testenv"
)

// object is JSON that is put together by hand.
type object = map[string]any

// hostile is an image that somebody has made by hand, and what may be wrong with it.
type hostile struct {
	layers   []tar.Header // of one layer on top of busybox; each regular file has the text "planted"
	config   object       // members of its configuration's config
	top      object       // of the configuration
	manifest func(h *hostileRegistry, m object)
	serve    func(w http.ResponseWriter, r *http.Request) bool // before the registry
	refused  string                                            // what the error of the pull says; "" is none
	unmade   string                                            // that of create or start
	archive  bool                                              // it is the same in a docker-archive
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func gzipped(b []byte) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	w.Write(b)
	w.Close()
	return buf.Bytes()
}

// layerOf is the tar of a layer.
func layerOf(t *testing.T, list []tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range list {
		text := ""
		if h.Typeflag == tar.TypeReg {
			text = "planted"
		}
		h.Size, h.Mode, h.Format = int64(len(text)), 0o4777, tar.FormatPAX
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, text)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// hostileRegistry is a registry whose owner answers some requests as he likes.
type hostileRegistry struct {
	t    *testing.T
	host string
	sent atomic.Int64 // bytes
	own  func(w http.ResponseWriter, r *http.Request) bool
}

func newHostileRegistry(t *testing.T) *hostileRegistry {
	h := &hostileRegistry{t: t}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counted := &countingWriter{w, &h.sent}
		if h.own == nil || r.Method != http.MethodGet || !h.own(counted, r) {
			inner.ServeHTTP(counted, r)
		}
	}))
	t.Cleanup(srv.Close)
	h.host = strings.TrimPrefix(srv.URL, "http://")
	return h
}

type countingWriter struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c *countingWriter) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.n.Add(int64(n))
	return n, err
}

// blob puts a blob and gives its descriptor.
func (h *hostileRegistry) blob(mediaType string, data []byte) object {
	h.put(http.MethodPost, "blobs/uploads/?digest="+digestOf(data), "", data)
	return object{"mediaType": mediaType, "digest": digestOf(data), "size": len(data)}
}

func (h *hostileRegistry) put(method, what, contentType string, data []byte) {
	h.t.Helper()
	req, _ := http.NewRequest(method, "http://"+h.host+"/v2/evil/"+what, bytes.NewReader(data))
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode >= 300 {
		h.t.Fatalf("put %s: %s", what, resp.Status)
	}
}

// tag puts a manifest.
func (h *hostileRegistry) tag(name, mediaType string, m object) object {
	h.t.Helper()
	data := encode(h.t, m)
	h.put(http.MethodPut, "manifests/"+name, mediaType, data)
	return object{"mediaType": mediaType, "digest": digestOf(data), "size": len(data), "platform": object{"os": "linux", "architecture": "amd64"}}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

// configuration is that of an image with layers.
func (i *hostile) configuration(t *testing.T, plain ...[]byte) []byte {
	t.Helper()
	var ids []string
	for _, p := range plain {
		ids = append(ids, digestOf(p))
	}
	config := object{"Env": []string{"PATH=/bin"}}
	maps.Copy(config, i.config)
	c := object{"os": "linux", "architecture": runtime.GOARCH, "config": config, "rootfs": object{"type": "layers", "diff_ids": ids}}
	maps.Copy(c, i.top)
	return encode(t, c)
}

func (i *hostile) publish(t *testing.T, h *hostileRegistry, base, top []byte) {
	t.Helper()
	m := object{
		"schemaVersion": 2, "mediaType": manifestType, "config": h.blob(configType, i.configuration(t, base, top)),
		"layers": []object{h.blob(layerType, base), h.blob(layerType+"+gzip", gzipped(top))},
	}
	h.own = nil
	if i.manifest != nil {
		i.manifest(h, m)
	}
	mt, _ := m["mediaType"].(string)
	h.tag("latest", mt, m)
	if i.serve != nil {
		h.own = i.serve
	}
}

// archived is the image as a docker-archive.
func (i *hostile) archived(t *testing.T, base, top []byte) []byte {
	t.Helper()
	return archiveOf(t, []tarFile{
		{name: "base/layer.tar", data: base}, {name: "top/layer.tar", data: top}, {name: "config.json", data: i.configuration(t, base, top)},
		{name: "manifest.json", data: encode(t, []object{{"Config": "config.json", "RepoTags": []string{"evil:archive"}, "Layers": []string{"base/layer.tar", "top/layer.tar"}}})},
	})
}

// tarFile is an entry of an archive: a link if to is given.
type tarFile struct {
	name, to string
	data     []byte
	size     int64 // said, if not 0
}

func archiveOf(t *testing.T, list []tarFile) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range list {
		h := tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: max(int64(len(f.data)), f.size), Mode: 0o644}
		if f.to != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, f.to
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		w.Write(f.data)
		if f.size > 0 {
			return buf.Bytes() // cut
		}
	}
	w.Close()
	return buf.Bytes()
}

// hostDir is a directory of the host that the images aim at.
func hostDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, err := range []error{
		os.WriteFile(filepath.Join(dir, "file"), []byte(hostSecret), 0o600),
		os.Mkdir(filepath.Join(dir, "sub"), 0o700),
		os.WriteFile(filepath.Join(dir, "sub", "f"), []byte(hostSecret), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const hostSecret = "the-host's-own-secret"

// tree lists all below a directory, but for those that skip names.
func tree(t *testing.T, dir string, skip ...string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, p)
		if slices.Contains(skip, name) {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		text := fmt.Sprint(name, " ", info.Mode())
		if info.Mode().IsRegular() && info.Size() < 1<<10 {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			text += " " + digestOf(b)
		}
		list = append(list, text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestHostilePull pulls images that were made to get at the host, and runs what can be run of
// them. Outside of the store nothing changes; what is refused says why and leaves nothing in it; what is not
// sees nothing of the host, and goes without a trace.
func TestHostilePull(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	base, err := io.ReadAll(testenv.Busybox(t))
	r.check(err)
	up := strings.Repeat("../", 30)
	entry := func(kind byte, name, link string) tar.Header {
		return tar.Header{Typeflag: kind, Name: name, Linkname: link}
	}
	file := func(name string) tar.Header { return entry(tar.TypeReg, name, "") }
	link := func(name, to string) tar.Header { return entry(tar.TypeSymlink, name, to) }
	device := func(kind byte, name string, major, minor int64) tar.Header {
		return tar.Header{Typeflag: kind, Name: name, Devmajor: major, Devminor: minor}
	}
	top := func(list ...tar.Header) []tar.Header { return append([]tar.Header{file("top")}, list...) }
	layers := func(list ...tar.Header) hostile { return hostile{layers: list, archive: true} }
	refused := func(why string, list ...tar.Header) hostile {
		return hostile{layers: list, refused: why, archive: true}
	}
	config := func(key string, value any, unmade string) hostile {
		return hostile{config: object{key: value}, unmade: unmade, archive: true}
	}
	manifest := func(why string, f func(h *hostileRegistry, m object)) hostile {
		return hostile{manifest: f, refused: why}
	}
	layer := func(m object, i int) object { return m["layers"].([]object)[i] }
	endless := func(path string, first string) func(w http.ResponseWriter, r *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, path) {
				return false
			}
			io.WriteString(w, first)
			for block := bytes.Repeat([]byte(" "), 1<<20); r.Context().Err() == nil; {
				if _, err := w.Write(block); err != nil {
					break
				}
			}
			return true
		}
	}
	for name, image := range map[string]hostile{
		"dots":                     refused("leads out", file("../planted")),
		"many dots":                refused("leads out", file(up+"HOST/planted")),
		"dots below":               refused("leads out", file("a/../../planted")),
		"absolute":                 layers(file("HOST/planted")),
		"through a link":           refused("", link("l", "HOST"), file("l/planted")),
		"through a relative link":  refused("", link("l", up+"HOST"), file("l/planted")),
		"through links":            refused("", link("a", "HOST"), link("b", "a"), file("b/planted")),
		"link out":                 layers(link("l", "HOST"), link("etc/passwd", "HOST/file"), link("data", up+"HOST")),
		"hard link out":            refused("", entry(tar.TypeLink, "h", "HOST/file")),
		"hard link by dots":        refused("", entry(tar.TypeLink, "h", up+"HOST/file")),
		"hard link through a link": refused("", link("l", "HOST"), entry(tar.TypeLink, "h", "l/file")),
		"devices":                  layers(device(tar.TypeChar, "dev/mem", 1, 1), device(tar.TypeChar, "mem", 1, 1), device(tar.TypeBlock, "disk", 254, 0), device(tar.TypeChar, "kmsg", 1, 11), device(tar.TypeFifo, "fifo", 0, 0)),
		"overlay's whiteout":       layers(device(tar.TypeChar, "bin/true", 0, 0), device(tar.TypeChar, "etc", 0, 0)),
		"whiteout of dots":         refused("whiteout", file(".wh...")),
		"whiteout of dot":          refused("whiteout", file("etc/.wh..")),
		"whiteout of nothing":      refused("whiteout", file(".wh.")),
		"whiteout through a link":  refused("", link("l", "HOST"), file("l/.wh.file")),
		"opaque through a link":    refused("", link("l", "HOST"), file("l/.wh..wh..opq")),
		"whiteouts":                layers(file(".wh.tmp"), file(".wh..wh.plnk"), file("etc/.wh.passwd"), file(".wh.nosuch")),
		"root is a link":           refused("", link(".", "HOST")),
		"root is a file":           refused("", file(".")),
		"xattrs of overlay": layers(tar.Header{Typeflag: tar.TypeDir, Name: "x/", PAXRecords: map[string]string{
			"SCHILY.xattr.trusted.overlay.redirect": "/../../../HOST", "SCHILY.xattr.trusted.overlay.metacopy": "", "SCHILY.xattr.user.overlay.redirect": "/HOST",
		}}),

		"wrong digest of a layer": {refused: "blob sha256:", serve: func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, "/blobs/") && strings.HasSuffix(r.URL.Path, digestOf(gzipped(layerOf(t, top())))) {
				w.Write(gzipped(layerOf(t, top(file("other")))))
				return true
			}
			return false
		}},
		"wrong diffID":          {refused: "its content has the digest", top: object{"rootfs": object{"type": "layers", "diff_ids": []string{digestOf(base), digestOf([]byte("other"))}}}, archive: true},
		"diffID is a path":      {refused: "not a digest", top: object{"rootfs": object{"type": "layers", "diff_ids": []string{digestOf(base), "sha256:../../../../planted"}}}, archive: true},
		"diffID is a long path": {refused: "not a digest", top: object{"rootfs": object{"type": "layers", "diff_ids": []string{digestOf(base), "sha256:" + (up + strings.Repeat("a", 64))[:64]}}}, archive: true},
		"fewer diffIDs":         {refused: "layers", top: object{"rootfs": object{"type": "layers", "diff_ids": []string{digestOf(base)}}}, archive: true},
		"too many diffIDs":      {refused: "layers", top: object{"rootfs": object{"type": "layers", "diff_ids": slices.Repeat([]string{digestOf(base)}, 1000)}}, archive: true},
		"layer is smaller":      manifest("longer than", func(_ *hostileRegistry, m object) { layer(m, 1)["size"] = 5 }),
		"layer is larger":       manifest("", func(_ *hostileRegistry, m object) { layer(m, 1)["size"] = 1 << 40 }),
		"negative size":         manifest("size", func(_ *hostileRegistry, m object) { layer(m, 1)["size"] = -1 }),
		"size beyond":           manifest("manifest", func(_ *hostileRegistry, m object) { layer(m, 1)["size"] = json.Number("1e30") }),
		"layer is no tar": manifest("", func(h *hostileRegistry, m object) {
			m["layers"].([]object)[1] = h.blob(layerType+"+gzip", gzipped([]byte(strings.Repeat("no tar", 1000))))
		}),
		"digest is a path": manifest("digest", func(_ *hostileRegistry, m object) {
			layer(m, 1)["digest"] = "sha256:" + (up + strings.Repeat("a", 64))[:64]
		}),
		"weak digest": manifest("digest", func(_ *hostileRegistry, m object) { layer(m, 1)["digest"] = "md5:d41d8cd98f00b204e9800998ecf8427e" }),
		"index in an index": manifest("index in an index", func(h *hostileRegistry, m object) {
			inner := h.tag("inner", indexType, object{"schemaVersion": 2, "mediaType": indexType, "manifests": []object{}})
			clear(m)
			m["schemaVersion"], m["mediaType"], m["manifests"] = 2, indexType, []object{inner}
		}),
		"index of itself": {refused: "has the digest", serve: func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/manifests/") {
				return false
			}
			w.Header().Set("Content-Type", indexType)
			fmt.Fprintf(w, `{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":100,"platform":{"os":"linux","architecture":%q}}]}`, indexType, indexType, digestOf([]byte("itself")), runtime.GOARCH)
			return true
		}},
		"redirects": {refused: "redirects", serve: func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, "/blobs/") {
				http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
				return true
			}
			return false
		}},
		"endless manifest": {refused: "longer than", serve: endless("/manifests/", `{"schemaVersion":2}`)},
		"endless configuration": {refused: "too long", manifest: func(_ *hostileRegistry, m object) {
			m["config"].(object)["size"] = int64(math.MaxInt64)
		}, serve: func(w http.ResponseWriter, r *http.Request) bool { return endless("/blobs/sha256:", "{")(w, r) }},

		"configuration of numbers": {refused: "configuration", config: object{"Healthcheck": object{"Retries": json.Number("1e400")}}, archive: true},
		"configuration of types":   {refused: "configuration", config: object{"Env": "PATH=/bin"}, archive: true},
		"other system":             {refused: "platform", top: object{"os": "windows"}},
		"huge health check":        config("Healthcheck", object{"Test": []string{"CMD", "true"}, "Interval": int64(math.MaxInt64), "Timeout": int64(math.MaxInt64), "Retries": math.MaxInt32}, ""),
		"negative health check":    config("Healthcheck", object{"Test": []string{"CMD", "true"}, "Interval": -1, "Timeout": -5, "Retries": -3}, ""), // as if there were no numbers
		"empty health check":       config("Healthcheck", object{"Test": []string{"CMD"}}, ""),
		"ports beyond":             config("ExposedPorts", object{"99999999/tcp": object{}}, "port"),
		"negative port":            config("ExposedPorts", object{"-1/tcp": object{}}, "port"),
		"port of nothing":          config("ExposedPorts", object{"": object{}, "../x": object{}}, "port"),
		"volume out":               config("Volumes", object{"/../../../HOST": object{}}, ""),
		"volume of the root":       config("Volumes", object{"/": object{}}, "VOLUME /"),
		"volume on proc":           config("Volumes", object{"/proc": object{}}, "proc"),
		"volume without a path":    config("Volumes", object{"": object{}}, "VOLUME /"),
		"working directory out":    config("WorkingDir", up+"HOST", ""),
		"working directory, NUL":   config("WorkingDir", "/a\x00b", "NUL"),
		"user of numbers":          config("User", "-1:99999999999999999999", "no matching entries in passwd"),
		"stop signal":              config("StopSignal", "SIGNOSUCH", ""),
		"stop signal beyond":       config("StopSignal", "2147483648", ""),
		"environment, NUL":         config("Env", []string{"PATH=/bin", "A=\x00B"}, "NUL"),
		"environment without =":    config("Env", []string{"PATH=/bin", "A", "=B", ""}, ""),
		"long command":             config("Cmd", slices.Repeat([]string{strings.Repeat("x", 1000)}, 4000), ""),
		"many labels":              config("Labels", manyLabels(), ""),
	} {
		t.Run(name, func(t *testing.T) {
			host := hostDir(t)
			if image.config != nil || image.layers != nil { // HOST is a path with and without its slash
				image = image.aimedAt(host)
			}
			h := newHostileRegistry(t)
			top := layerOf(t, top(image.layers...))
			image.publish(t, h, base, top)
			before, store := tree(t, host), r.kept()
			around := tree(t, r.dir, "root", "run")
			harmless := func(when string) {
				t.Helper()
				if d := cmp.Diff(before, tree(t, host)); d != "" {
					t.Fatalf("%s: the host was changed (-before +after):\n%s", when, d)
				}
				if d := cmp.Diff(around, tree(t, r.dir, "root", "run")); d != "" {
					t.Fatalf("%s: beside the store (-before +after):\n%s", when, d)
				}
			}
			try := func(how string, get func() (string, error)) {
				t.Helper()
				ref, err := get()
				harmless(how)
				if err != nil {
					if image.refused == "" && !image.mayBeRefused() || !strings.Contains(err.Error(), image.refused) {
						t.Errorf("%s: %v", how, err)
					}
					if d := cmp.Diff(store, r.kept()); d != "" {
						t.Errorf("%s: what was refused has left (-before +after):\n%s", how, d)
					}
					return
				}
				if image.refused != "" {
					t.Errorf("%s: it is not refused", how)
				}
				r.runHostile(t, ref, image.unmade, host)
				harmless(how + " and run")
				_, err = r.ImageRemove(ctx, ref, engine.ImageRemoveOptions{Force: true})
				r.check(err)
				if d := cmp.Diff(store, r.kept()); d != "" {
					t.Errorf("%s: it has left (-before +after):\n%s", how, d)
				}
			}
			try("pull", func() (string, error) {
				return r.ImagePull(ctx, h.host+"/evil", engine.PullOptions{})
			})
			if n := h.sent.Load(); n > 64<<20 {
				t.Errorf("%d bytes were read from the registry", n)
			}
			if image.archive {
				try("load", func() (string, error) {
					refs, err := r.ImageLoad(ctx, bytes.NewReader(image.archived(t, base, top)))
					if err != nil {
						return "", err
					}
					return refs[0], nil
				})
			}
		})
	}
}

func manyLabels() object {
	m := object{}
	for i := range 20000 {
		m[fmt.Sprint("label", i)] = "../../" + strings.Repeat("x", 30)
	}
	return m
}

// mayBeRefused: layers that lead out may be, or lead nowhere.
func (i *hostile) mayBeRefused() bool {
	return i.refused == "" && i.unmade == "" && i.layers != nil || i.manifest != nil
}

// aimedAt puts the path of the host's directory for HOST.
func (i hostile) aimedAt(host string) hostile {
	text := func(s string) string {
		return strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(s, "../HOST", ".."+host), "/HOST", host), "HOST", host)
	}
	layers := slices.Clone(i.layers)
	for n := range layers {
		layers[n].Name, layers[n].Linkname = text(layers[n].Name), text(layers[n].Linkname)
		records := map[string]string{}
		for k, v := range layers[n].PAXRecords {
			records[k] = text(v)
		}
		layers[n].PAXRecords = records
	}
	i.layers = layers
	if i.config != nil {
		config := object{}
		for k, v := range i.config {
			switch v := v.(type) {
			case string:
				config[k] = text(v)
			case object:
				if len(v) > 100 {
					config[k] = v
					continue
				}
				o := object{}
				for name, x := range v {
					o[text(name)] = x
				}
				config[k] = o
			default:
				config[k] = v
			}
		}
		i.config = config
	}
	return i
}

// kept is what the store has of images.
func (r *rig) kept() (list []string) {
	r.t.Helper()
	for _, dir := range []string{"images", "blobs/sha256", "layers", "layers/.tmp", "containers", "containers/.new", "volumes", "names"} {
		entries, err := os.ReadDir(filepath.Join(r.dir, "root", dir))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.t.Fatal(err)
		}
		for _, e := range entries {
			if !strings.HasSuffix(e.Name(), ".lock") && e.Name() != "index.json" {
				list = append(list, dir+"/"+e.Name())
			}
		}
	}
	images, err := r.ImageList(r.t.Context(), engine.ImageListOptions{All: true})
	r.check(err)
	for _, i := range images {
		list = append(list, fmt.Sprint(i.ID, i.RepoTags))
	}
	return list
}

// runHostile makes and runs a container of an image, and does by its paths what the engine does.
func (r *rig) runHostile(t *testing.T, ref, unmade, host string) {
	t.Helper()
	ctx := t.Context()
	script := "exec 2>&1; ls -la / /l /data /x; cat /etc/passwd /l/file /data/file /h /etc/hosts; for d in /mem /disk /dev/mem /kmsg; do head -c 1 $d && echo read-$d; done; true"
	spec := engine.Spec{Image: ref, Command: []string{"/bin/sh", "-c", script}, NetworkMode: "none"}
	res, err := r.ContainerCreate(ctx, &spec, engine.CreateOptions{})
	if err == nil {
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := r.ContainerRemove(ctx, res.ID, engine.RemoveOptions{Force: true, Volumes: true}); err != nil {
				t.Errorf("remove: %v", err)
			}
		}()
		err = r.ContainerStart(ctx, res.ID, engine.StartOptions{})
	}
	if err != nil {
		if unmade == "" || !strings.Contains(err.Error(), unmade) {
			t.Errorf("run: %v", err)
		}
		return
	}
	if unmade != "" {
		t.Errorf("it runs, and should not: %s", unmade)
	}
	code := r.ended(res.ID)
	logs, err := r.ContainerLogs(ctx, res.ID, engine.LogOptions{})
	r.check(err)
	out, err := io.ReadAll(logs)
	logs.Close()
	if err != nil || code != 0 || strings.Contains(string(out), hostSecret) || strings.Contains(string(out), "read-") {
		t.Errorf("it ends with %d, %v, and has said %q", code, err, out)
	}
	for _, p := range []string{"/etc/passwd", "/l/.", "/l/file", "/data/file", "/x", "/disk", "/fifo", host + "/file"} {
		if tar, _, err := r.ContainerGetArchive(ctx, res.ID, p, engine.ArchiveOptions{}); err == nil {
			b, _ := io.ReadAll(io.LimitReader(tar, 1<<20))
			tar.Close()
			if strings.Contains(string(b), hostSecret) {
				t.Errorf("the archive of %s has what is the host's", p)
			}
		}
		r.ContainerPutArchive(ctx, res.ID, p, bytes.NewReader(layerOf(t, []tar.Header{{Typeflag: tar.TypeReg, Name: "file"}})), engine.PutArchiveOptions{})
	}
	if tar, err := r.ContainerExport(ctx, res.ID); err != nil {
		t.Errorf("export: %v", err)
	} else {
		if b, err := io.ReadAll(tar); err != nil || bytes.Contains(b, []byte(hostSecret)) {
			t.Errorf("the export has what is the host's, or %v", err)
		}
		tar.Close()
	}
	if _, err := r.ContainerDiff(ctx, res.ID); err != nil {
		t.Errorf("diff: %v", err)
	}
}

// TestHostileArchive loads archives whose own parts lead elsewhere.
func TestHostileArchive(t *testing.T) {
	r := newRig(t)
	base := layerOf(t, []tar.Header{{Typeflag: tar.TypeReg, Name: "f"}})
	i := &hostile{}
	config := i.configuration(t, base)
	manifest := func(m object) tarFile { return tarFile{name: "manifest.json", data: encode(t, []object{m})} }
	up := strings.Repeat("../", 30)
	whole := func(list ...tarFile) []tarFile {
		return append([]tarFile{{name: "c.json", data: config}, {name: "l.tar", data: base}}, list...)
	}
	without := func(list ...tarFile) []tarFile { return append([]tarFile{{name: "c.json", data: config}}, list...) }
	for name, test := range map[string]struct {
		list []tarFile
		says string
	}{
		"nothing":                   {nil, "manifest"},
		"configuration of the host": {whole(manifest(object{"Config": up + "etc/passwd", "Layers": []string{"l.tar"}})), "etc/passwd"},
		"layer of the host":         {without(manifest(object{"Config": "c.json", "Layers": []string{"/var/lib/x.tar"}})), "x.tar"},
		"layer is a link out":       {append(without(manifest(object{"Config": "c.json", "Layers": []string{"x"}})), tarFile{name: "x", to: "/etc/passwd"}), "etc/passwd"},
		"links in a circle":         {append(without(manifest(object{"Config": "c.json", "Layers": []string{"a"}})), tarFile{name: "a", to: "b"}, tarFile{name: "b", to: "a"}), "lacks"},
		"names that are paths":      {whole(manifest(object{"Config": "c.json", "Layers": []string{"l.tar"}, "RepoTags": []string{"../../x:y"}})), "x"},
		"cut":                       {whole(tarFile{name: "big.json", data: []byte("{"), size: 1 << 40}), ""},
		"no such layer":             {whole(manifest(object{"Config": "c.json", "Layers": []string{"l.tar", "l.tar"}})), "layers"},
		"manifest of other things":  {whole(tarFile{name: "manifest.json", data: []byte(`{"a":1}`)}), "manifest"},
		"index of paths":            {whole(tarFile{name: "index.json", data: []byte(`{"schemaVersion":2,"manifests":[{"digest":"sha256:../../x","size":1}]}`)}, tarFile{name: "oci-layout", data: []byte(`{"imageLayoutVersion":"1.0.0"}`)}), "digest"},
	} {
		t.Run(name, func(t *testing.T) {
			before := r.kept()
			refs, err := r.ImageLoad(t.Context(), bytes.NewReader(archiveOf(t, test.list)))
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, %v", refs, err)
			}
			if !errors.Is(err, engine.ErrInvalid) {
				t.Errorf("its kind is another one: %v", err)
			}
			if d := cmp.Diff(before, r.kept()); d != "" {
				t.Errorf("it has left (-before +after):\n%s", d)
			}
		})
	}
}

// TestBomb: layers that unpack to more than there is place for, as a file that is really there or only said to be, are a clear
// error, and the store is as it was.
func TestBomb(t *testing.T) {
	r := newRig(t)
	root := filepath.Join(t.TempDir(), "small")
	r.check(os.Mkdir(root, 0o700))
	r.check(syscall.Mount("berth-test", root, "tmpfs", 0, "size=32m"))
	defer syscall.Unmount(root, syscall.MNT_DETACH)
	small := &rig{Engine: r.open(WithRoot(root)), t: t, dir: filepath.Dir(root)}
	for name, said := range map[string]int64{"a file that is there": 200 << 20, "a file that is not": 1 << 50} {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		w := tar.NewWriter(z)
		r.check(w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "bomb", Size: said, Mode: 0o644, Format: tar.FormatPAX}))
		noise := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		for range 200 {
			w.Write(noise)
		}
		w.Flush()
		z.Close()
		h := newHostileRegistry(t)
		m := object{"schemaVersion": 2, "mediaType": manifestType, "config": h.blob(configType, (&hostile{}).configuration(t, noise)), "layers": []object{h.blob(layerType+"+gzip", b.Bytes())}}
		h.tag("latest", manifestType, m)
		before := tree(t, root, "events", "events.lock", "images")
		_, err := small.ImagePull(t.Context(), h.host+"/evil", engine.PullOptions{})
		if err == nil || !strings.Contains(err.Error(), "disk is full") && !strings.Contains(err.Error(), "no space left") {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(before, tree(t, root, "events", "events.lock", "images")); d != "" {
			t.Errorf("%s: it has left (-before +after):\n%s", name, d)
		}
		if _, err := small.ImageImport(t.Context(), testenv.Busybox(t), engine.ImportOptions{Reference: "good"}); err != nil {
			t.Errorf("%s: the store takes nothing more: %v", name, err)
		}
		if _, err := small.ImageRemove(t.Context(), "good", engine.ImageRemoveOptions{}); err != nil {
			t.Error(err)
		}
	}
}
