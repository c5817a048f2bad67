package berth

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

// tarEngine is an engine that gives one tar, whatever it holds.
type tarEngine struct {
	fileEngine
	data []byte
}

func (e *tarEngine) ContainerGetArchive(context.Context, string, string, engine.ArchiveOptions) (io.ReadCloser, engine.PathStat, error) {
	return io.NopCloser(bytes.NewReader(e.data)), engine.PathStat{}, nil
}

func makeTar(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		content := ""
		if h.Typeflag == tar.TypeReg {
			content = "evil"
		}
		h.Size, h.Mode = int64(len(content)), 0o644
		if h.Typeflag == tar.TypeDir {
			h.Mode = 0o755
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// cage makes a directory to extract into, with a directory and a file beside it
// that must stay as they are, and returns a function that tells what happened to them.
func cage(t testing.TB) (dir string, check func()) {
	t.Helper()
	top := t.TempDir()
	dir = filepath.Join(top, "dir")
	for _, d := range []string{dir, filepath.Join(top, "beside")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(top, "beside", "victim"), []byte("good"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, func() {
		t.Helper()
		if data, err := os.ReadFile(filepath.Join(top, "beside", "victim")); string(data) != "good" {
			t.Errorf("the file outside is %q, %v", data, err)
		}
		info, err := os.Lstat(filepath.Join(top, "beside", "victim"))
		if err != nil || runtime.GOOS != "windows" && info.Mode() != 0o644 {
			t.Errorf("the file outside is %v, %v", info, err)
		}
		for d, want := range map[string]int{top: 2, filepath.Join(top, "beside"): 1} {
			if entries, err := os.ReadDir(d); err != nil || len(entries) != want {
				t.Errorf("%s holds %v, %v", d, entries, err)
			}
		}
	}
}

func dirHeader(name string) tar.Header { return tar.Header{Typeflag: tar.TypeDir, Name: name} }

func fileHeader(name string) tar.Header { return tar.Header{Typeflag: tar.TypeReg, Name: name} }

func linkHeader(name, target string) tar.Header {
	return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target}
}

func hardHeader(name, target string) tar.Header {
	return tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target}
}

// Each of these tries to write outside.
func TestCopyFromHostileArchives(t *testing.T) {
	for name, headers := range map[string][]tar.Header{
		"dots":                   {dirHeader("d"), fileHeader("d/../../beside/victim")},
		"dots at the root":       {dirHeader("d"), fileHeader("../beside/victim")},
		"root is dots":           {dirHeader(".."), fileHeader("../beside/victim")},
		"other root":             {dirHeader("d"), fileHeader("beside/victim")},
		"through a link":         {dirHeader("d"), linkHeader("d/l", "../beside"), fileHeader("d/l/victim")},
		"through an absolute":    {dirHeader("d"), linkHeader("d/l", "/tmp"), fileHeader("d/l/victim")},
		"through two links":      {dirHeader("d"), linkHeader("d/a", "b"), linkHeader("d/b", ".."), fileHeader("d/a/beside/victim")},
		"directory through link": {dirHeader("d"), linkHeader("d/l", "../beside"), dirHeader("d/l/x")},
		"hard link out":          {dirHeader("d"), hardHeader("d/h", "d/../../beside/victim"), fileHeader("d/h")},
		"hard link through link": {dirHeader("d"), linkHeader("d/l", "../beside"), hardHeader("d/h", "d/l/victim"), fileHeader("d/h")},
		"hard link elsewhere":    {dirHeader("d"), hardHeader("d/h", "/etc/passwd")},
	} {
		t.Run(name, func(t *testing.T) {
			dir, check := cage(t)
			err := fileContainer(t, &tarEngine{data: makeTar(t, headers...)}).CopyFrom(t.Context(), "/d", dir)
			if err == nil {
				t.Errorf("no error; extracted %q", localTree(t, dir))
			}
			check()
		})
	}
}

// Odd, but harmless.
func TestCopyFromOddArchives(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("symbolic links take privileges on Windows")
	}
	for name, tt := range map[string]struct {
		headers []tar.Header
		want    []string
	}{
		"file over a link":        {[]tar.Header{dirHeader("d"), linkHeader("d/l", "../beside/victim"), fileHeader("d/l")}, []string{"l: evil"}},
		"link over a file":        {[]tar.Header{dirHeader("d"), fileHeader("d/l"), linkHeader("d/l", "x")}, []string{"l -> x"}},
		"directory over a link":   {[]tar.Header{dirHeader("d"), linkHeader("d/l", "../beside"), dirHeader("d/l"), fileHeader("d/l/f")}, []string{"l/", "l/f: evil"}},
		"missing directories":     {[]tar.Header{dirHeader("d"), fileHeader("d/a/b/f")}, []string{"a/", "a/b/", "a/b/f: evil"}},
		"hard link of a link":     {[]tar.Header{dirHeader("d"), linkHeader("d/l", "x"), hardHeader("d/h", "d/l")}, []string{"h -> x", "l -> x"}},
		"root with leading slash": {[]tar.Header{dirHeader("/d/"), fileHeader("/d/f")}, []string{"f: evil"}},
		"root with leading dot":   {[]tar.Header{dirHeader("./d/"), fileHeader("./d/f")}, []string{"f: evil"}},
		"link out, not used":      {[]tar.Header{dirHeader("d"), linkHeader("d/l", "../beside/victim")}, []string{"l -> ../beside/victim"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir, check := cage(t)
			if err := fileContainer(t, &tarEngine{data: makeTar(t, tt.headers...)}).CopyFrom(t.Context(), "/d", dir); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(tt.want, localTree(t, dir)); diff != "" {
				t.Error(diff)
			}
			check()
		})
	}
}

// Links that are in the destination already are not followed out of it either.
func TestCopyFromIntoDirectoryWithLinks(t *testing.T) {
	dir, check := cage(t)
	if err := os.Symlink("../beside", filepath.Join(dir, "out")); err != nil {
		t.Skip(err)
	}
	c := fileContainer(t, &tarEngine{data: makeTar(t, dirHeader("d"), fileHeader("d/out/victim"))})
	if err := c.CopyFrom(t.Context(), "/d", dir); err == nil {
		t.Error("no error")
	}
	check()
}

func FuzzCopyFrom(f *testing.F) {
	f.Add("d", "d/../../beside/victim", "", "d/x", "../beside", "d/x/victim")
	f.Add("d", "d/l", "../beside", "d/l/victim", "", "d/h")
	f.Add("", "/a", "/", "/a/tmp", "..", "a/../../beside")
	f.Fuzz(func(t *testing.T, root, a, aTarget, b, bTarget, c string) {
		entry := func(name, target string) tar.Header {
			switch {
			case target == "":
				return fileHeader(name)
			case strings.HasSuffix(target, "="): // also hard links
				return hardHeader(name, strings.TrimSuffix(target, "="))
			}
			return linkHeader(name, target)
		}
		var buf bytes.Buffer
		w := tar.NewWriter(&buf)
		for _, h := range []tar.Header{dirHeader(root), entry(a, aTarget), entry(b, bTarget), dirHeader(c), fileHeader(c), fileHeader(a), fileHeader(b)} {
			h.Mode = 0o777
			if h.Typeflag == tar.TypeReg {
				h.Size = 4
			}
			if w.WriteHeader(&h) == nil && h.Size > 0 {
				io.WriteString(w, "evil")
			}
		}
		w.Close()
		dir, check := cage(t)
		r, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		ar := &openArchive{tr: tar.NewReader(&buf)}
		if ar.first, err = ar.next(); err == nil {
			x := &extractor{root: r}
			if err := x.extract(ar, "base"); errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("error is %v", err)
			}
		}
		check()
	})
}
