package berth

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// withFiles starts a container with the files of linked, of which it runs the script after.
func withFiles(t *testing.T, cli *Client) *Container {
	t.Helper()
	c := sleeper(t, cli)
	script := `set -e
mkdir -p /t/d/sub /t/other; cd /t
printf 'content of /t/f' >f; printf 'content of /t/d/g' >d/g; printf 'content of /t/other/x' >other/x
ln -s ../../other d/sub/l; ln -s f rel; ln -s /t/f abs; ln -s d dl; ln -s ../../../../t/f esc; ln -s nosuch dang; ln -s rel chain; ln -s loop loop
ln f hard; ln -s t/d /top; mkdir -p /fixed/dir/empty; echo data >/fixed/dir/file; echo more >/fixed/more; ln -s dir/file /fixed/link; chmod 4751 /fixed/more`
	if out, err := sh(c, script).CombinedOutput(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return c
}

func TestEngineFSPassesTestFS(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		c := withFiles(t, cli)
		fixed, err := fs.Sub(c.FS(t.Context()), "fixed")
		if err != nil {
			t.Fatal(err)
		}
		if err := fstest.TestFS(fixed, "dir/file", "dir/empty", "more", "link"); err != nil {
			t.Error(err)
		}
		if info, err := fs.Stat(fixed, "more"); err != nil || info.Mode() != fs.ModeSetuid|0o751 {
			t.Errorf("stat: %v, %v", info, err)
		}
	})
}

func TestEngineFSLinks(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		c := withFiles(t, cli)
		for _, indexed := range []string{"", "top"} {
			f := c.FS(t.Context())
			if indexed != "" {
				if _, err := fs.ReadDir(f, indexed); err != nil {
					t.Fatal(err)
				}
			}
			for name, want := range map[string]string{
				"t/f": "/t/f", "t/rel": "/t/f", "t/abs": "/t/f", "t/esc": "/t/f", "t/chain": "/t/f", "t/hard": "/t/f",
				"t/dl/g": "/t/d/g", "top/g": "/t/d/g", "top/sub/l/x": "/t/other/x",
			} {
				b, err := fs.ReadFile(f, name)
				if err != nil || string(b) != "content of "+want {
					t.Errorf("index %q: %s holds %q, %v", indexed, name, b, err)
				}
				if info, err := fs.Stat(f, name); err != nil || !info.Mode().IsRegular() || info.Size() != int64(len("content of "+want)) {
					t.Errorf("index %q: stat of %s: %v, %v", indexed, name, info, err)
				}
			}
			for name, want := range map[string]string{
				"t/rel": "f", "t/abs": "/t/f", "t/dl": "d", "t/esc": "../../../../t/f", "t/dang": "nosuch", "t/chain": "rel", "t/loop": "loop", "top": "t/d", "top/sub/l": "../../other",
			} {
				if got, err := fs.ReadLink(f, name); err != nil || got != want {
					t.Errorf("index %q: link %s leads to %q, %v, want %q", indexed, name, got, err, want)
				}
				if info, err := fs.Lstat(f, name); err != nil || info.Mode()&fs.ModeSymlink == 0 {
					t.Errorf("index %q: lstat of %s: %v, %v", indexed, name, info, err)
				}
			}
			for _, name := range []string{"nosuch", "t/nosuch", "t/dang", "t/dl/nosuch", "nosuch/x"} {
				if _, err := f.Open(name); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("index %q: open %s: %v, want fs.ErrNotExist", indexed, name, err)
				}
				if _, err := fs.Stat(f, name); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("index %q: stat %s: %v, want fs.ErrNotExist", indexed, name, err)
				}
			}
			if _, err := f.Open("t/loop"); err == nil {
				t.Error("a loop could be opened")
			}
		}
	})
}

func TestEngineFSRoot(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		f := withFiles(t, cli).FS(t.Context())
		n := 0
		err := fs.WalkDir(f, ".", func(name string, d fs.DirEntry, err error) error { n++; return err })
		if err != nil || n < 100 {
			t.Errorf("%d files, %v", n, err)
		}
		for _, name := range []string{"t/d/g", "bin/busybox", "top/g"} {
			if info, err := fs.Stat(f, name); err != nil || !info.Mode().IsRegular() {
				t.Errorf("stat of %s: %v, %v", name, info, err)
			}
		}
	})
}

func TestEngineCopyFrom(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		c := withFiles(t, cli)
		for src, want := range map[string][]string{
			"/t/d":       {"g: content of /t/d/g", "sub/", "sub/l -> ../../other"},
			"/t/dl":      {"g: content of /t/d/g", "sub/", "sub/l -> ../../other"},
			"/top/sub/":  {"l -> ../../other"},
			"/t/chain":   {"chain: content of /t/f"},
			"/fixed/dir": {"empty/", "file: data\n"},
		} {
			dir := filepath.Join(t.TempDir(), "new")
			if err := c.CopyFrom(t.Context(), src, dir); err != nil {
				t.Errorf("%s: %v", src, err)
				continue
			}
			if diff := cmp.Diff(want, localTree(t, dir)); diff != "" {
				t.Errorf("%s: %s", src, diff)
			}
		}
		if err := c.CopyFrom(t.Context(), "/nosuch", t.TempDir()); !errors.Is(err, ErrNotFound) {
			t.Errorf("missing source: %v", err)
		}
		dir := t.TempDir()
		if err := c.CopyFrom(t.Context(), "/t", dir); err != nil {
			t.Error(err)
		}
		if a, err := os.Stat(filepath.Join(dir, "hard")); err != nil || a.Size() != int64(len("content of /t/f")) {
			t.Errorf("hard link: %v, %v", a, err)
		}
	})
}

func TestEngineCopyTo(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		c := sleeper(t, cli)
		fsys := fstest.MapFS{
			"index.html": {Data: []byte("<html>"), Mode: 0o640, ModTime: memTime},
			"css/a.css":  {Data: []byte("a"), Mode: 0o444, ModTime: memTime},
			"empty":      {Mode: fs.ModeDir | 0o700, ModTime: memTime},
			"link":       {Data: []byte("css/a.css"), Mode: fs.ModeSymlink | 0o777},
		}
		if err := sh(c, "mkdir -m 0711 /srv; chown 5:6 /srv; ln -s srv /lnk; echo old >/srv/index.html").Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, dst := range []string{"/srv", "/srv/a/b", "/lnk/c", "/new"} {
			if err := c.CopyTo(t.Context(), dst, fsys, CopyToOptions{Owner: Owner{UID: 7, GID: 8}}); err != nil {
				t.Errorf("%s: %v", dst, err)
				continue
			}
			out, err := sh(c, "cd "+dst+" && stat -c '%n %a %u:%g %Y' index.html css css/a.css empty && cat index.html link").CombinedOutput(t.Context())
			want := "index.html 640 7:8 1714979289\ncss 755 7:8 0\ncss/a.css 444 7:8 1714979289\nempty 700 7:8 1714979289\n<html>a"
			if got := strings.Replace(string(out), "css 755 7:8 -62135596800", "css 755 7:8 0", 1); err != nil || got != strings.Replace(want, "css 755", "css 555", 1) && got != want {
				t.Errorf("%s: %v\n%s", dst, err, out)
			}
		}
		out, err := sh(c, "stat -c '%a %u:%g' /srv; stat -c '%a' /srv/a /srv/c /new").Output(t.Context())
		if err != nil || string(out) != "711 5:6\n755\n755\n755\n" {
			t.Errorf("directories are %q, %v", out, err)
		}
		if err := c.CopyTo(t.Context(), "/srv/index.html", fsys); !errors.Is(err, ErrInvalid) {
			t.Errorf("copy to a file: %v, want ErrInvalid", err)
		}
		if err := c.CopyTo(t.Context(), "/srv", fstest.MapFS{"css": {Data: []byte("x")}}); err == nil {
			t.Error("a directory was replaced by a file")
		}
	})
}

func TestEngineReadAndWriteFile(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		c := withFiles(t, cli)
		data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		opts := WriteFileOptions{Owner: Owner{UID: 3, GID: 4}, ModTime: memTime}
		for _, name := range []string{"/t/new", "/t/chain", "/t/dang", "/t/dl/h"} {
			if err := c.WriteFile(t.Context(), name, data, 0o604, opts); err != nil {
				t.Fatal(err)
			}
			if b, err := c.ReadFile(t.Context(), name); err != nil || !bytes.Equal(b, data) {
				t.Errorf("%s holds %d bytes, %v", name, len(b), err)
			}
		}
		out, err := sh(c, "cd /t; stat -c '%a %u:%g %Y %s' new f nosuch d/h; readlink chain; readlink dang").Output(t.Context())
		line := "604 3:4 1714979289 1048576\n"
		if err != nil || string(out) != line+line+line+line+"rel\nnosuch\n" {
			t.Errorf("%v\n%s", err, out)
		}
		if err := c.WriteFile(t.Context(), "/no/such", nil, 0o644); !errors.Is(err, ErrNotFound) {
			t.Errorf("write to a missing directory: %v, want ErrNotFound", err)
		}
		if err := c.WriteFile(t.Context(), "/no/such", nil, 0o644, WriteFileOptions{Parents: true}); err != nil {
			t.Error(err)
		}
		if b, err := c.ReadFile(t.Context(), "/no/such"); err != nil || len(b) > 0 {
			t.Errorf("%q, %v", b, err)
		}
		if err := c.WriteFile(t.Context(), "/t/d", nil, 0o644); !errors.Is(err, errIsDirectory) {
			t.Errorf("write to a directory: %v", err)
		}
	})
}

func TestEngineArchives(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		c := withFiles(t, cli)
		rc, st, err := c.GetArchive(t.Context(), "/t/d")
		if err != nil || st.Name != "d" || !st.Mode.IsDir() || st.LinkTarget != "" {
			t.Fatalf("stat %+v, %v", st, err)
		}
		data, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		rc.Close()
		if h, err := tar.NewReader(bytes.NewReader(data)).Next(); err != nil || strings.Trim(h.Name, "/") != "d" {
			t.Errorf("first entry %+v, %v", h, err)
		}
		if err := sh(c, "mkdir /x").Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.PutArchive(t.Context(), "/x", bytes.NewReader(data)); err != nil {
			t.Error(err)
		}
		if b, err := c.ReadFile(t.Context(), "/x/d/g"); err != nil || string(b) != "content of /t/d/g" {
			t.Errorf("%q, %v", b, err)
		}
		if err := c.PutArchive(t.Context(), "/nosuch", bytes.NewReader(data)); !errors.Is(err, ErrNotFound) {
			t.Errorf("put into a missing directory: %v, want ErrNotFound", err)
		}
		if st, err := c.StatPath(t.Context(), "/t/rel"); err != nil || st.Mode&fs.ModeSymlink == 0 || st.LinkTarget != "/t/f" || st.Name != "rel" {
			t.Errorf("stat of a link: %+v, %v", st, err)
		}
		if st, err := c.StatPath(t.Context(), "/t/dang"); err != nil || st.Mode&fs.ModeSymlink == 0 || st.Name != "dang" {
			t.Errorf("stat of a link that leads nowhere: %+v, %v", st, err)
		}
		if _, err := c.StatPath(t.Context(), "/nosuch"); !errors.Is(err, ErrNotFound) {
			t.Errorf("stat of a missing path: %v", err)
		}
	})
}
