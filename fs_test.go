package berth

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func linked() map[string]*memFile {
	return tree("/t/", "/t/f", "/t/d/", "/t/d/g", "/t/d/sub/", "/t/d/sub/l -> ../../other", "/t/other/", "/t/other/x",
		"/t/rel -> f", "/t/abs -> /t/f", "/t/dl -> d", "/t/esc -> ../../../../t/f", "/t/dang -> nosuch", "/t/chain -> rel",
		"/t/loop -> loop", "/t/hard => /t/f", "/top -> t/d")
}

func TestFSPassesTestFS(t *testing.T) {
	files := func() map[string]*memFile {
		return tree("/a/", "/a/b", "/a/c/", "/a/c/d", "/a/empty/", "/a/l -> c/d", "/a/h => /a/b", "/e")
	}
	bothWays(t, files, func(t *testing.T, _ *fileEngine, c *Container) {
		if err := fstest.TestFS(c.FS(t.Context()), "a/b", "a/c/d", "a/empty", "a/l", "a/h", "e"); err != nil {
			t.Error(err)
		}
		sub, err := fs.Sub(c.FS(t.Context()), "a")
		if err != nil {
			t.Fatal(err)
		}
		if err := fstest.TestFS(sub, "b", "c/d", "empty", "l", "h"); err != nil {
			t.Error(err)
		}
	})
}

func TestFSWalkIsOneArchive(t *testing.T) {
	bothWays(t, linked, func(t *testing.T, e *fileEngine, c *Container) {
		var names []string
		err := fs.WalkDir(c.FS(t.Context()), "t", func(name string, d fs.DirEntry, err error) error {
			if err == nil {
				_, err = d.Info()
			}
			names = append(names, name)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Fields("t t/abs t/chain t/d t/d/g t/d/sub t/d/sub/l t/dang t/dl t/esc t/f t/hard t/loop t/other t/other/x t/rel")
		if diff := cmp.Diff(want, names); diff != "" {
			t.Error(diff)
		}
		if !slices.Equal(e.archives, []string{"/t"}) || e.stats != 1 {
			t.Errorf("fetched %q and asked %d times, want one archive and one question", e.archives, e.stats)
		}
	})
}

// Names must mean the same with and without an index.
func TestFSLinks(t *testing.T) {
	content := map[string]string{
		"t/f": "/t/f", "t/rel": "/t/f", "t/abs": "/t/f", "t/esc": "/t/f", "t/chain": "/t/f", "t/hard": "/t/f",
		"t/dl/g": "/t/d/g", "top/g": "/t/d/g", "top/sub/l/x": "/t/other/x", "t/dl/sub/l/x": "/t/other/x",
	}
	links := map[string]string{
		"t/rel": "f", "t/abs": "/t/f", "t/dl": "d", "t/esc": "../../../../t/f", "t/dang": "nosuch", "t/chain": "rel",
		"t/loop": "loop", "top": "t/d", "t/dl/sub/l": "../../other", "top/sub/l": "../../other",
	}
	for _, indexed := range []string{"", ".", "t", "t/d", "top", "t/dl"} {
		t.Run("index of "+indexed, func(t *testing.T) {
			bothWays(t, linked, func(t *testing.T, _ *fileEngine, c *Container) {
				f := c.FS(t.Context())
				if indexed != "" {
					if _, err := fs.ReadDir(f, indexed); err != nil {
						t.Fatal(err)
					}
				}
				for name, want := range content {
					b, err := fs.ReadFile(f, name)
					if err != nil || string(b) != "content of "+want {
						t.Errorf("%s holds %q, %v", name, b, err)
					}
					if info, err := fs.Stat(f, name); err != nil || !info.Mode().IsRegular() || info.Size() != int64(len("content of "+want)) {
						t.Errorf("stat of %s: %v, %v", name, info, err)
					}
				}
				for name, want := range links {
					if got, err := fs.ReadLink(c.FS(t.Context()), name); err != nil || got != want {
						t.Errorf("link %s leads to %q, %v, want %q, with nothing known", name, got, err, want)
					}
					if got, err := fs.ReadLink(f, name); err != nil || got != want {
						t.Errorf("link %s leads to %q, %v, want %q", name, got, err, want)
					}
				}
				if info, err := fs.Stat(f, "t/dl"); err != nil || !info.IsDir() || info.Name() != "dl" {
					t.Errorf("stat of a link to a directory: %v, %v", info, err)
				}
				for _, name := range []string{"t/dl", "t/loop", "t/dang", "top"} {
					f := c.FS(t.Context())
					if info, err := fs.Lstat(f, name); err != nil || info.Mode()&fs.ModeSymlink == 0 {
						t.Errorf("lstat of the link %s: %v, %v", name, info, err)
					}
				}
				for _, name := range []string{"nosuch", "t/nosuch", "t/dang", "t/dl/nosuch", "nosuch/x", "top/sub/l/nosuch"} {
					_, oerr := f.Open(name)
					_, serr := fs.Stat(f, name)
					_, rerr := fs.ReadDir(f, name)
					for _, err := range []error{oerr, serr, rerr} {
						if !errors.Is(err, fs.ErrNotExist) {
							t.Errorf("%s: %v, want fs.ErrNotExist", name, err)
						}
					}
				}
				if _, err := fs.ReadFile(f, "t/loop"); err == nil {
					t.Error("a loop could be read")
				}
				if _, err := fs.ReadLink(f, "t/f"); !errors.Is(err, fs.ErrInvalid) {
					t.Errorf("readlink of a file: %v", err)
				}
				if _, err := fs.ReadDir(f, "t/f"); err == nil || errors.Is(err, fs.ErrNotExist) {
					t.Errorf("readdir of a file: %v", err)
				}
			})
		})
	}
}

func TestFSDirectoryIsNoFile(t *testing.T) {
	f := fileContainer(t, &fileEngine{files: linked()}).FS(t.Context())
	d, err := f.Open("t")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Read(make([]byte, 1)); !errors.Is(err, errIsDirectory) {
		t.Errorf("read: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	_, e1 := d.Stat()
	_, e2 := d.(fs.ReadDirFile).ReadDir(-1)
	for _, err := range []error{e1, e2, d.Close()} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

func TestFSRefusesBadNames(t *testing.T) {
	f := fileContainer(t, &fileEngine{}).FS(t.Context())
	for _, name := range []string{"", "/", "/etc", "../x", "a//b", "a/", "./a"} {
		_, e1 := f.Open(name)
		_, e2 := fs.Stat(f, name)
		_, e3 := fs.Lstat(f, name)
		_, e4 := fs.ReadLink(f, name)
		_, e5 := fs.ReadDir(f, name)
		for i, err := range []error{e1, e2, e3, e4, e5} {
			if !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("%q, call %d: %v, want fs.ErrInvalid", name, i, err)
			}
		}
	}
}

func TestFSSpecialFiles(t *testing.T) {
	files := func() map[string]*memFile {
		files := tree("/d/", "/d/pipe")
		files["/d/pipe"] = &memFile{mode: fs.ModeNamedPipe | 0o600, time: memTime}
		return files
	}
	bothWays(t, files, func(t *testing.T, _ *fileEngine, c *Container) {
		f := c.FS(t.Context())
		for range 2 { // without and with an index
			if _, err := f.Open("d/pipe"); !errors.Is(err, errNotRegular) {
				t.Errorf("open: %v", err)
			}
			if info, err := fs.Stat(f, "d/pipe"); err != nil || info.Mode().Type() != fs.ModeNamedPipe {
				t.Errorf("stat: %v, %v", info, err)
			}
			fs.ReadDir(f, "d")
		}
	})
}

func TestFSCutArchives(t *testing.T) {
	for _, cut := range []int{1, 100, 512, 1000, 1500} {
		e := &fileEngine{files: tree("/d/", "/d/f"), cut: cut}
		e.files["/d/f"].data = strings.Repeat("x", 2000)
		f := fileContainer(t, e).FS(t.Context())
		if _, err := fs.ReadFile(f, "d/f"); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("file cut at %d: %v, want io.ErrUnexpectedEOF", cut, err)
		}
		if _, err := fs.ReadDir(f, "d"); !errors.Is(err, io.ErrUnexpectedEOF) && cut != 512 {
			t.Errorf("directory cut at %d: %v, want io.ErrUnexpectedEOF", cut, err)
		}
	}
}

func TestFSEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := fileContainer(t, &fileEngine{files: tree("/f")}).FS(ctx)
	cancel()
	if _, err := fs.ReadFile(f, "f"); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want context.Canceled", err)
	}
}

func TestFSIsSafeForConcurrentUse(t *testing.T) {
	c := fileContainer(t, &fileEngine{files: linked()})
	f := c.FS(t.Context())
	errs := make(chan error)
	const readers = 16
	for i := range readers {
		go func() {
			_, err := fs.ReadDir(f, []string{".", "t", "top", "t/dl"}[i%4])
			if err == nil {
				_, err = fs.ReadFile(f, "t/chain")
			}
			errs <- err
		}()
	}
	for range readers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func FuzzTreeName(f *testing.F) {
	for _, s := range []string{"d", "d/a", "/d/a", "./d/a", "../a", "d/../../a", "d/a/", "", "/", "d/\x00"} {
		f.Add("d", s)
		f.Add(".", s)
	}
	f.Fuzz(func(t *testing.T, root, name string) {
		clean, err := entryName(root)
		if err != nil {
			return
		}
		got, err := treeName(clean, name)
		if err == nil && (!fs.ValidPath(got) || hasDotDot(got)) {
			t.Errorf("treeName(%q, %q) = %q", root, name, got)
		}
	})
}

func TestTreeName(t *testing.T) {
	for _, tt := range []struct{ root, name, want string }{
		{"etc", "etc", "."}, {"etc", "etc/", "."}, {"etc", "etc/a", "a"}, {"etc", "/etc/a/b/", "a/b"}, {"etc", "./etc/a", "a"},
		{".", "", "."}, {".", "/", "."}, {".", "./", "."}, {".", "/a", "a"}, {".", "a/b", "a/b"}, {".", ".//a", "a"},
		{"etc", "etcetera", ""}, {"etc", "x", ""}, {"etc", "etc/../x", ""}, {".", "..", ""}, {".", "a/../../b", ""}, {".", "a\x00b", ""},
	} {
		got, err := treeName(tt.root, tt.name)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("treeName(%q, %q) = %q, %v, want %q", tt.root, tt.name, got, err, tt.want)
		}
	}
}
