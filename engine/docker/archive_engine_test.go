package docker

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

// tarball is a tar of one file.
func tarball(t *testing.T, name string, data []byte, uid int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o640, Size: int64(len(data)), Uid: uid, ModTime: time.Unix(1e9, 0)}); err != nil {
		t.Fatal(err)
	}
	w.Write(data)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchive(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := made(t, e, engine.Spec{Command: []string{"sh", "-c", "ln -s f /tmp/link; sleep 1000"}, User: "2"})
		data := make([]byte, 3_000_000)
		rand.Read(data)
		if err := e.ContainerPutArchive(ctx, id, "/tmp", bytes.NewReader(tarball(t, "f", data, 7)), engine.PutArchiveOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := e.ContainerStart(ctx, id, engine.StartOptions{}); err != nil {
			t.Fatal(err)
		}
		for _, compress := range []bool{false, true} {
			r, stat, err := e.ContainerGetArchive(ctx, id, "/tmp/f", engine.ArchiveOptions{Compress: compress})
			if err != nil {
				t.Fatal(err)
			}
			if stat.Name != "f" || stat.Size != int64(len(data)) || stat.Mode != 0o640 || !stat.ModTime.Equal(time.Unix(1e9, 0)) {
				t.Errorf("stat %+v", stat)
			}
			tr := tar.NewReader(r)
			h, err := tr.Next()
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(tr)
			if err != nil || !bytes.Equal(got, data) || h.Uid != 7 || h.Name != "f" {
				t.Errorf("compress %v: %+v, %d bytes, %v", compress, h, len(got), err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
		execOut(t, e, id, "true") // the link is there when the shell sleeps
		for range 50 {
			if stat, err := e.ContainerStatPath(ctx, id, "/tmp/link"); err == nil {
				if stat.Mode&fs.ModeSymlink == 0 || stat.LinkTarget == "" {
					t.Errorf("link %+v", stat)
				}
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if stat, err := e.ContainerStatPath(ctx, id, "/tmp"); err != nil || !stat.Mode.IsDir() || stat.Mode&fs.ModeSticky == 0 {
			t.Errorf("directory %+v, %v", stat, err)
		}
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		z.Write(tarball(t, "g", []byte("gz"), 0))
		z.Close()
		if err := e.ContainerPutArchive(ctx, id, "/tmp", &zipped, engine.PutArchiveOptions{CopyUIDGID: true}); err != nil {
			t.Error(err)
		}
		if got := execOut(t, e, id, "cat", "/tmp/g"); got != "gz" {
			t.Errorf("got %q", got)
		}
		if got := execOut(t, e, id, "stat", "-c", "%u", "/tmp/g"); got != "2" {
			t.Errorf("owner %s", got)
		}
		big := io.MultiReader(bytes.NewReader(tarball(t, "h", data, 0))) // of unknown length
		if err := e.ContainerPutArchive(ctx, id, "/no/such/dir", big, engine.PutArchiveOptions{}); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("missing target: %v", err)
		}
		if err := e.ContainerPutArchive(ctx, id, "/etc/passwd", bytes.NewReader(tarball(t, "h", nil, 0)), engine.PutArchiveOptions{}); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("target is a file: %v", err)
		}
		if err := e.ContainerPutArchive(ctx, id, "/", bytes.NewReader(tarball(t, "tmp", nil, 0)), engine.PutArchiveOptions{NoOverwriteDirNonDir: true}); err == nil {
			t.Error("a directory was replaced")
		}
		if _, _, err := e.ContainerGetArchive(ctx, id, "/no/such", engine.ArchiveOptions{}); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		if _, err := e.ContainerStatPath(ctx, id, "/no/such"); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		if _, err := e.ContainerStatPath(ctx, "no-such-container", "/"); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		changes, err := e.ContainerDiff(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, c := range changes {
			found = found || c == engine.Change{Path: "/tmp/f", Kind: engine.ChangeAdded}
		}
		if !found {
			t.Errorf("changes %v", changes)
		}
		if changes, err := e.ContainerDiff(ctx, made(t, e, engine.Spec{})); err != nil || changes == nil || len(changes) != 0 {
			t.Errorf("no changes: %v, %v", changes, err)
		}
		r, err := e.ContainerExport(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		names := map[string]bool{}
		for tr := tar.NewReader(r); ; {
			h, err := tr.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			names[h.Name] = true
		}
		if !names["tmp/f"] || !names["bin/busybox"] {
			t.Errorf("export has %d names", len(names))
		}
	})
}
