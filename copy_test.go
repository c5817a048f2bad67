package berth

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// localTree lists a directory: "d/", "l -> t", "f: content".
func localTree(t *testing.T, dir string) []string {
	t.Helper()
	var l []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case d.IsDir():
			rel += "/"
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(name)
			if err != nil {
				return err
			}
			rel += " -> " + target
		default:
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			rel += ": " + string(data)
		}
		l = append(l, rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestCopyFrom(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("symbolic links take privileges on Windows")
	}
	for src, want := range map[string][]string{
		"/t/d":      {"g: content of /t/d/g", "sub/", "sub/l -> ../../other"},
		"/t/dl":     {"g: content of /t/d/g", "sub/", "sub/l -> ../../other"},
		"t/dl/sub/": {"l -> ../../other"},
		"/t/f":      {"f: content of /t/f"},
		"/t/chain":  {"chain: content of /t/f"},
		"/t/other":  {"x: content of /t/other/x"},
		"/": {"t/", "t/abs -> /t/f", "t/chain -> rel", "t/d/", "t/d/g: content of /t/d/g", "t/d/sub/", "t/d/sub/l -> ../../other",
			"t/dang -> nosuch", "t/dl -> d", "t/esc -> ../../../../t/f", "t/f: content of /t/f", "t/hard: content of /t/f",
			"t/loop -> loop", "t/other/", "t/other/x: content of /t/other/x", "t/rel -> f", "top -> t/d"},
	} {
		t.Run(src, func(t *testing.T) {
			bothWays(t, linked, func(t *testing.T, _ *fileEngine, c *Container) {
				dir := filepath.Join(t.TempDir(), "new", "dir")
				for range 2 { // the second time over the first
					if err := c.CopyFrom(t.Context(), src, dir); err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(want, localTree(t, dir)); diff != "" {
						t.Fatal(diff)
					}
				}
			})
		})
	}
}

func TestCopyFromKeepsModesAndTimes(t *testing.T) {
	files := tree("/d/", "/d/ro/", "/d/ro/f", "/d/suid")
	files["/d/ro"].mode = fs.ModeDir | 0o555
	files["/d/ro/f"].mode = 0o400
	files["/d/suid"].mode = 0o755 | fs.ModeSetuid
	dir := t.TempDir()
	t.Cleanup(func() { os.Chmod(filepath.Join(dir, "ro"), 0o700) })
	if err := fileContainer(t, &fileEngine{files: files}).CopyFrom(t.Context(), "/d", dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"ro": fs.ModeDir | 0o555, "ro/f": 0o400, "suid": 0o755} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode() != want {
			t.Errorf("mode of %s is %v, want %v", name, info.Mode(), want)
		}
		if !info.ModTime().Equal(memTime) {
			t.Errorf("time of %s is %v, want %v", name, info.ModTime(), memTime)
		}
	}
}

func TestCopyFromSpecialFiles(t *testing.T) {
	files := tree("/d/", "/d/f", "/d/pipe")
	files["/d/pipe"].mode = fs.ModeNamedPipe | 0o600
	files["/d/pipe"].data = ""
	c := fileContainer(t, &fileEngine{files: files})
	dir := t.TempDir()
	if err := c.CopyFrom(t.Context(), "/d", dir); err == nil || !strings.Contains(err.Error(), "pipe") {
		t.Errorf("error is %v, want one that names the pipe", err)
	}
	if err := c.CopyFrom(t.Context(), "/d", dir, CopyFromOptions{SkipSpecial: true}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"f: content of /d/f"}, localTree(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestCopyFromErrors(t *testing.T) {
	c := fileContainer(t, &fileEngine{files: linked(), cut: 700})
	for name, tt := range map[string]struct {
		src, dir string
		want     error
	}{
		"missing":        {"/nosuch", t.TempDir(), ErrNotFound},
		"empty source":   {"", t.TempDir(), ErrInvalid},
		"empty target":   {"/t", "", ErrInvalid},
		"cut":            {"/t/d", t.TempDir(), io.ErrUnexpectedEOF},
		"dangling":       {"/t/dang", t.TempDir(), ErrNotFound},
		"target is file": {"/t/d", os.Args[0], nil},
	} {
		if err := c.CopyFrom(t.Context(), tt.src, tt.dir); err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if err := c.CopyFrom(t.Context(), "/t", t.TempDir(), CopyFromOptions{}, CopyFromOptions{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("two options: %v", err)
	}
}

func TestCopyTo(t *testing.T) {
	fsys := fstest.MapFS{
		"index.html": {Data: []byte("<html>"), Mode: 0o640, ModTime: memTime},
		"css/a.css":  {Data: []byte("a"), Mode: 0o444, ModTime: memTime},
		"empty":      {Mode: fs.ModeDir | 0o700, ModTime: memTime},
		"link":       {Data: []byte("css/a.css"), Mode: fs.ModeSymlink | 0o777},
	}
	for dst, put := range map[string]string{"/srv": "/srv", "/srv/a/b": "/srv", "/new": "/", "/lnk": "/srv", "/lnk/a": "/srv", "srv/": "/srv"} {
		t.Run(dst, func(t *testing.T) {
			e := &fileEngine{files: tree("/srv/", "/lnk -> srv")}
			c := fileContainer(t, e)
			opts := CopyToOptions{Owner: Owner{UID: 7, GID: 8}}
			if err := c.CopyTo(t.Context(), dst, fsys, opts); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(e.puts, []string{put}) {
				t.Errorf("unpacked in %q, want %q", e.puts, put)
			}
			out := t.TempDir()
			if err := c.CopyFrom(t.Context(), dst, out); err != nil {
				t.Fatal(err)
			}
			want := []string{"css/", "css/a.css: a", "empty/", "index.html: <html>", "link -> css/a.css"}
			if diff := cmp.Diff(want, localTree(t, out)); diff != "" {
				t.Error(diff)
			}
			_, f, err := e.resolve("/"+strings.Trim(dst, "/")+"/index.html", true)
			if err != nil {
				t.Fatal(err)
			}
			if f.uid != 7 || f.gid != 8 || f.mode != 0o640 || !f.time.Equal(memTime) {
				t.Errorf("file is %+v", f)
			}
		})
	}
}

func TestCopyToOptions(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("f", filepath.Join(dir, "l")); err != nil {
		t.Skip(err)
	}
	e := &fileEngine{files: tree()}
	err := fileContainer(t, e).CopyTo(t.Context(), "/a/b", os.DirFS(dir), CopyToOptions{Follow: true, FileMode: 0o604, DirMode: 0o711})
	if err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]fs.FileMode{"/a": fs.ModeDir | 0o711, "/a/b": fs.ModeDir | 0o711, "/a/b/f": 0o604, "/a/b/l": 0o604} {
		if f := e.files[name]; f == nil || f.mode != mode || !f.mode.IsDir() && f.data != "x" {
			t.Errorf("%s is %+v, want mode %v", name, f, mode)
		}
	}
}

func TestCopyToErrors(t *testing.T) {
	broken := errors.New("broken")
	for name, tt := range map[string]struct {
		fsys fs.FS
		put  error
		dst  string
		want string
	}{
		"grows":      {sizeFS{fstest.MapFS{"f": {Data: []byte("long")}}, 2}, nil, "/srv", "size"},
		"shrinks":    {sizeFS{fstest.MapFS{"f": {Data: []byte("long")}}, 9}, nil, "/srv", "size"},
		"device":     {fstest.MapFS{"dev": {Mode: fs.ModeDevice}}, nil, "/srv", "dev"},
		"engine":     {fstest.MapFS{"f": {Data: bytes.Repeat([]byte("x"), 1<<20)}}, broken, "/srv", "broken"},
		"unread":     {fstest.MapFS{"f": {Data: bytes.Repeat([]byte("x"), 1<<20)}}, errPutHalf, "/srv", "not read all"},
		"nil":        {nil, nil, "/srv", "nil"},
		"empty path": {fstest.MapFS{}, nil, "", "empty"},
		"file":       {fstest.MapFS{}, nil, "/srv/file/x", "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			c := fileContainer(t, &fileEngine{files: tree("/srv/", "/srv/file"), putErr: tt.put})
			if err := c.CopyTo(t.Context(), tt.dst, tt.fsys); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %q", err, tt.want)
			}
		})
	}
}

// sizeFS tells a wrong size of its files, as of files that change meanwhile.
type sizeFS struct {
	fstest.MapFS
	size int64
}

func (s sizeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := s.MapFS.ReadDir(name)
	for i, e := range entries {
		if info, err := e.Info(); err == nil {
			entries[i] = fs.FileInfoToDirEntry(fileInfo{name: e.Name(), mode: info.Mode(), size: s.size})
		}
	}
	return entries, err
}

func TestReadAndWriteFile(t *testing.T) {
	bothWays(t, linked, func(t *testing.T, e *fileEngine, c *Container) {
		for name, path := range map[string]string{
			"/t/new": "/t/new", "/t/f": "/t/f", "/t/chain": "/t/f", "/t/dang": "/t/nosuch", "/t/dl/g": "/t/d/g", "t/dl/h": "/t/d/h",
		} {
			opts := WriteFileOptions{Owner: Owner{3, 4}, ModTime: memTime}
			if err := c.WriteFile(t.Context(), name, []byte("new "+name), 0o600, opts); err != nil {
				t.Fatal(err)
			}
			if b, err := c.ReadFile(t.Context(), name); err != nil || string(b) != "new "+name {
				t.Errorf("%s holds %q, %v", name, b, err)
			}
			want := memFile{data: "new " + name, mode: 0o600, uid: 3, gid: 4, time: memTime}
			got := *e.files[path]
			got.time = got.time.UTC()
			if got != want {
				t.Errorf("%s is %+v, want %+v", path, got, want)
			}
		}
		for name, want := range map[string]error{
			"": ErrInvalid, "/t/loop": nil, "/t/d": errIsDirectory, "/t/dl": errIsDirectory, "/": errIsDirectory, "/no/such": ErrNotFound,
		} {
			if err := c.WriteFile(t.Context(), name, nil, 0o600); err == nil || want != nil && !errors.Is(err, want) {
				t.Errorf("write %q: %v, want %v", name, err, want)
			}
			if _, err := c.ReadFile(t.Context(), name); err == nil || want != nil && !errors.Is(err, want) {
				t.Errorf("read %q: %v, want %v", name, err, want)
			}
		}
		if err := c.WriteFile(t.Context(), "/no/such", []byte("x"), fs.ModeDir); !errors.Is(err, ErrInvalid) {
			t.Errorf("write with a directory's mode: %v", err)
		}
		if err := c.WriteFile(t.Context(), "/no/such/file", []byte("x"), 0o644, WriteFileOptions{Parents: true}); err != nil {
			t.Error(err)
		}
		if f := e.files["/no/such"]; f == nil || f.mode != fs.ModeDir|0o755 || time.Since(e.files["/no/such/file"].time) > time.Hour {
			t.Errorf("parent is %+v", f)
		}
		if _, err := c.ReadFile(t.Context(), "/missing"); !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, ErrNotFound) {
			t.Errorf("read of a missing file: %v", err)
		}
	})
}

func TestArchivePaths(t *testing.T) {
	e := &fileEngine{files: tree("/d/", "/d/f")}
	c := fileContainer(t, e)
	rc, st, err := c.GetArchive(t.Context(), "d/.")
	if err != nil || st.Name != "d" || !slices.Equal(e.archives, []string{"/d"}) {
		t.Fatalf("stat %+v, fetched %q, %v", st, e.archives, err)
	}
	data, err := io.ReadAll(rc)
	if err != nil || rc.Close() != nil {
		t.Fatal(err)
	}
	if err := c.PutArchive(t.Context(), "/", bytes.NewReader(data)); err != nil {
		t.Error(err)
	}
	if st, err := c.StatPath(t.Context(), "/d/f/"); err != nil || st.Size != int64(len("content of /d/f")) {
		t.Errorf("stat %+v, %v", st, err)
	}
	_, _, e1 := c.GetArchive(t.Context(), "")
	e2 := c.PutArchive(t.Context(), "", bytes.NewReader(nil))
	_, e3 := c.StatPath(t.Context(), "")
	e4 := c.PutArchive(t.Context(), "/", nil)
	_, _, e5 := c.GetArchive(t.Context(), "/", ArchiveOptions{}, ArchiveOptions{})
	e6 := c.PutArchive(t.Context(), "/", bytes.NewReader(nil), PutArchiveOptions{}, PutArchiveOptions{})
	for i, err := range []error{e1, e2, e3, e4, e5, e6} {
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("call %d: %v, want ErrInvalid", i+1, err)
		}
	}
}
