package lifetime

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// registryVariable holds the address of a registry for jobs.
const registryVariable = "BERTH_LIFETIME_REGISTRY"

// registry has any image that it is asked for: its layers are made of its tag, so that no two have one in common. It takes its
// time over them.
type registry struct {
	mu    sync.Mutex
	blobs map[string][]byte
}

// serveRegistry starts one, for this process and the programs that it starts, until the test ends.
func serveRegistry(t *testing.T) {
	r := &registry{blobs: map[string][]byte{}}
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	t.Setenv(registryVariable, strings.TrimPrefix(srv.URL, "http://"))
}

func pullReference(tag string) string { return os.Getenv(registryVariable) + "/killed:" + tag }

func (r *registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch dir, base := path.Split(req.URL.Path); {
	case strings.HasSuffix(dir, "/manifests/"):
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		w.Write(r.manifest(base))
	case strings.HasSuffix(dir, "/blobs/"):
		data := r.blobs[base]
		for len(data) > 0 { // slowly
			n := min(len(data), 8<<10)
			w.Write(data[:n])
			w.(http.Flusher).Flush()
			data = data[n:]
			time.Sleep(200 * time.Microsecond)
		}
	}
}

func (r *registry) put(data []byte) map[string]any {
	sum := sha256.Sum256(data)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	r.blobs[digest] = data
	return map[string]any{"digest": digest, "size": len(data)}
}

func (r *registry) manifest(tag string) []byte {
	var layers, ids []any
	for n := range 4 {
		var buf bytes.Buffer
		tw := tar.NewWriter(&buf)
		for f := range 8 {
			data := bytes.Repeat(fmt.Appendf(nil, "%s %d %d\n", tag, n, f), 100)
			tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: fmt.Sprintf("d%d/%d", n, f), Mode: 0o644, Size: int64(len(data))})
			tw.Write(data)
		}
		tw.Close()
		d := r.put(buf.Bytes())
		d["mediaType"] = "application/vnd.oci.image.layer.v1.tar"
		layers, ids = append(layers, d), append(ids, d["digest"])
	}
	config, _ := json.Marshal(map[string]any{"os": "linux", "architecture": runtime.GOARCH, "config": map[string]any{}, "rootfs": map[string]any{"type": "layers", "diff_ids": ids}})
	d := r.put(config)
	d["mediaType"] = "application/vnd.oci.image.config.v1+json"
	data, _ := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": d, "layers": layers})
	return data
}
