//go:build linux

package layer

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var day = time.Unix(1700000000, 0)

// item is an entry of a tar.
type item struct {
	tar.Header
	content string
}

// entry makes an entry; content is that of a file, or what a link is to.
func entry(kind byte, name, content string) item {
	h := item{Header: tar.Header{Typeflag: kind, Name: name, Mode: 0o644, ModTime: day}}
	switch kind {
	case tar.TypeDir:
		h.Mode = 0o755
	case tar.TypeReg:
		h.Size = int64(len(content))
		h.content = content
	case tar.TypeSymlink, tar.TypeLink:
		h.Linkname = content
	}
	return h
}

func file(name, content string) item { return entry(tar.TypeReg, name, content) }
func folder(name string) item        { return entry(tar.TypeDir, name, "") }
func symlink(name, to string) item   { return entry(tar.TypeSymlink, name, to) }
func hardlink(name, to string) item  { return entry(tar.TypeLink, name, to) }
func pack(t testing.TB, list ...item) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, h := range list {
		if err := tw.WriteHeader(&h.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write([]byte(h.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// unpackedLayer is a layer in a directory of the test.
type unpackedLayer struct {
	Target
	Result
	journal bytes.Buffer
}

func unpack(t testing.TB, data []byte, opts Options) (*unpackedLayer, error) {
	t.Helper()
	dir := t.TempDir()
	l := &unpackedLayer{}
	l.Target = Target{Dir: filepath.Join(dir, "diff"), Journal: &l.journal, Replaced: filepath.Join(dir, "replaced")}
	if err := os.Mkdir(l.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var err error
	l.Result, err = Apply(t.Context(), l.Target, bytes.NewReader(data), opts)
	return l, err
}

// unpackOK unpacks, and verifies that the same tar comes back.
func unpackOK(t testing.TB, data []byte, opts Options) *unpackedLayer {
	t.Helper()
	l, err := unpack(t, data, opts)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if want := "sha256:" + hex.EncodeToString(sum[:]); l.DiffID != want || l.TarSize != int64(len(data)) {
		t.Errorf("diffID %s of %d bytes, want %s of %d", l.DiffID, l.TarSize, want, len(data))
	}
	var again bytes.Buffer
	if err := Replay(t.Context(), &again, l.Dir, l.Replaced, bytes.NewReader(l.journal.Bytes()), l.DiffID); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(again.Bytes(), data) {
		t.Error("the replayed tar is another one")
	}
	return l
}

// tree describes every file below dir but the root.
func describe(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		s := fmt.Sprintf("%o %d:%d", st.Mode, st.Uid, st.Gid)
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFREG:
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			s += fmt.Sprintf(" %q", data)
		case unix.S_IFLNK:
			to, _ := os.Readlink(path)
			s += " -> " + to
		case unix.S_IFCHR, unix.S_IFBLK:
			s += fmt.Sprintf(" %d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
		}
		rel, _ := filepath.Rel(dir, path)
		out[rel] = s
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return out
}

func lgetxattr(path, name string) string {
	buf := make([]byte, 256)
	n, err := unix.Lgetxattr(path, name, buf)
	if err != nil {
		return ""
	}
	return string(buf[:n])
}
