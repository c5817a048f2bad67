//go:build linux

package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/berthdev/berth/engine"
)

func open(t testing.TB) *Store {
	t.Helper()
	return openAt(t, t.TempDir(), Options{NoSync: true})
}

func openAt(t testing.TB, root string, opts Options) *Store {
	t.Helper()
	s, err := Open(root, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tarOf makes a tar of files: name, content, name, content…
func tarOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for pair := range slices.Chunk(files, 2) {
		err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: pair[0], Size: int64(len(pair[1])), Mode: 0o644, ModTime: time.Unix(1e9, 0)})
		if err == nil {
			_, err = tw.Write([]byte(pair[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	tw.Close()
	return buf.Bytes()
}

func gzipped(data []byte) []byte {
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	gz.Write(data)
	gz.Close()
	return buf.Bytes()
}

func zstded(data []byte) []byte {
	z, _ := zstd.NewWriter(nil)
	return z.EncodeAll(data, nil)
}

// imported puts an image with one layer into the store.
func imported(t testing.TB, s *Store, name string, files ...string) *Image {
	t.Helper()
	img, err := s.Import(t.Context(), bytes.NewReader(tarOf(t, files...)), engine.ImportOptions{Reference: name})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// layerNames are the diffIDs of the store's layers.
func layerNames(t testing.TB, s *Store) []string {
	t.Helper()
	return entries(t, s.path("layers"), tmpDir)
}

func entries(t testing.TB, dir string, but ...string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, e := range list {
		if !slices.Contains(but, e.Name()) {
			out = append(out, e.Name())
		}
	}
	return out
}

// clean verifies that nothing half-made is left in the store.
func clean(t testing.TB, s *Store) {
	t.Helper()
	if left := entries(t, s.path("layers", tmpDir)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	for _, dir := range []string{"images", "blobs/sha256"} {
		if m, _ := filepath.Glob(s.path(dir, ".tmp-*")); len(m) > 0 {
			t.Errorf("left behind: %v", m)
		}
	}
}

// content reads a file of an image's topmost layer that has it.
func content(t testing.TB, s *Store, img *Image, name string) string {
	t.Helper()
	dirs, err := s.LayerDirs(img)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			return string(data)
		}
	}
	return ""
}

func sumHex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func writeFile(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// configOf is a configuration of an image with these layers.
func configOf(t testing.TB, arch string, layers ...[]byte) []byte {
	t.Helper()
	cf := ConfigFile{OS: "linux", Architecture: arch, Created: new(time.Unix(1e9, 0).UTC()), RootFS: RootFS{Type: "layers", DiffIDs: []string{}}}
	cf.Config.Labels = map[string]string{"arch": arch, "layers": fmt.Sprint(len(layers))}
	for _, l := range layers {
		cf.RootFS.DiffIDs = append(cf.RootFS.DiffIDs, digestOf(l))
	}
	data, err := json.Marshal(cf)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
