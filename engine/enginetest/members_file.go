package enginetest

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing/fstest"

	"github.com/berthdev/berth"
)

// fileMembers are the archive members and what is built on them.
func fileMembers() []Case {
	return []Case{
		{Name: "container/put_archive", Do: func(t *T) {
			c := t.Create(t.Spec("sh", "-c", "cat /tmp/d/f; stat -c ' %a %u:%g' /tmp/d/f"))
			t.Check(c.PutArchive(t.Context(), "/tmp", tarOf(t, tarEntry{"d/", "", 0o755}, tarEntry{"d/f", "content", 0o640})), "put archive")
			var out bytes.Buffer
			t.Check(c.Start(t.Context()), "start")
			_, err := c.Wait(t.Context())
			t.Check(err, "wait")
			t.Check(c.LogsTo(t.Context(), &out, &out), "logs")
			// The owner is the tar's, whatever the container's user is.
			Equal(t, "file in the container", out.String(), "content 640 1234:4321\n")
			err = c.PutArchive(t.Context(), "/nosuch/dir", tarOf(t, tarEntry{"f", "x", 0o644}))
			t.WantError("a target that does not exist", err, berth.ErrNotFound)
			if err := c.PutArchive(t.Context(), "/tmp", bytes.NewReader(bytes.Repeat([]byte("garbage"), 512))); err == nil {
				t.Error("garbage was accepted as a tar")
			}
		}},
		{Name: "container/get_archive", Do: func(t *T) {
			c := t.Start(t.Sleeper())
			t.ExecSh(c, "mkdir -p /srv/d && echo one >/srv/d/1 && ln -s 1 /srv/d/link && chmod 600 /srv/d/1")
			for _, opts := range []berth.ArchiveOptions{{}, {Compress: true}} {
				r, st, err := c.GetArchive(t.Context(), "/srv/d", opts)
				if opts.Compress && errors.Is(err, berth.ErrUnsupported) {
					continue // a row of its own: container/get_archive-compress
				}
				t.Check(err, "get archive")
				Equal(t, "name", st.Name, "d")
				Equal(t, "is a directory", st.Mode.IsDir(), true)
				got := untar(t, r)
				r.Close()
				Equal(t, "content", got["d/1"], "one\n")
				Equal(t, "link", got["d/link"], "-> 1")
			}
			_, _, err := c.GetArchive(t.Context(), "/nosuch")
			t.WantError("a path that does not exist", err, berth.ErrNotFound)
		}},
		{Name: "container/get_archive-compress", Do: func(t *T) {
			r, _, err := t.Shared().GetArchive(t.Context(), "/etc/passwd", berth.ArchiveOptions{Compress: true})
			t.Check(err, "get archive")
			defer r.Close()
			t.Contains("file", untar(t, r)["passwd"], "root:")
		}},
		{Name: "container/stat_path", Do: func(t *T) {
			c := t.Start(t.Sleeper())
			t.ExecSh(c, "echo 12345 >/f && chmod 640 /f && ln -s /f /l && mkdir /d && chmod 1777 /d")
			st, err := c.StatPath(t.Context(), "/f")
			t.Check(err, "stat a file")
			if st.Name != "f" || st.Size != 6 || st.Mode != 0o640 || st.ModTime.IsZero() {
				t.Errorf("file is %+v", st)
			}
			st, err = c.StatPath(t.Context(), "/l")
			t.Check(err, "stat a link")
			if st.Mode.Type() != fs.ModeSymlink || st.LinkTarget != "/f" {
				t.Errorf("link is %+v", st)
			}
			st, err = c.StatPath(t.Context(), "/d")
			t.Check(err, "stat a directory")
			Equal(t, "mode of the directory", st.Mode, fs.ModeDir|fs.ModeSticky|0o777)
			_, err = c.StatPath(t.Context(), "/nosuch")
			t.WantError("a path that does not exist", err, berth.ErrNotFound)
		}},
		{Name: "container/export", Do: func(t *T) {
			c := t.Start(t.Sleeper())
			t.ExecSh(c, "echo exported >/marker")
			r, err := c.Export(t.Context())
			t.Check(err, "export")
			defer r.Close()
			Equal(t, "file in the tar", untar(t, r)["marker"], "exported\n")
		}},
		{Name: "container/copy", Do: func(t *T) {
			c := t.Create(t.Sleeper())
			site := fstest.MapFS{
				"index.html":  {Data: []byte("<p>"), Mode: 0o644},
				"bin/run":     {Data: []byte("#!/bin/sh\necho ran\n"), Mode: 0o755},
				"empty/.keep": {Mode: 0o600},
			}
			t.Check(c.CopyTo(t.Context(), "/srv/site/new", site), "copy to")
			dir := t.TempDir()
			t.Cleanup(func() { // the directories of a MapFS are read-only, which keeps an ordinary user from removing them
				filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
					if err == nil && e.IsDir() {
						os.Chmod(path, 0o700)
					}
					return nil
				})
			})
			t.Check(c.CopyFrom(t.Context(), "/srv/site/new", dir), "copy from")
			for name, f := range site {
				path := filepath.Join(dir, "new", name)
				if _, err := os.Stat(path); err != nil {
					path = filepath.Join(dir, name)
				}
				data, err := os.ReadFile(path)
				t.Check(err, "read back")
				Equal(t, name, string(data), string(f.Data))
			}
			t.Check(c.WriteFile(t.Context(), "/etc/berth.conf", []byte("a=b\n"), 0o600), "write file")
			data, err := c.ReadFile(t.Context(), "/etc/berth.conf")
			t.Check(err, "read file")
			Equal(t, "file", string(data), "a=b\n")
			_, err = c.ReadFile(t.Context(), "/nosuch")
			t.WantError("a file that does not exist", err, berth.ErrNotFound)
		}},
		{Name: "container/fs", Do: func(t *T) {
			c := t.Create(t.Sleeper())
			t.Check(c.CopyTo(t.Context(), "/srv/fixed", fstest.MapFS{
				"a.txt": {Data: []byte("alpha"), Mode: 0o644}, "sub/b.txt": {Data: []byte("beta"), Mode: 0o644}, "sub/deep/c": {Data: nil, Mode: 0o600},
			}), "copy to")
			sub, err := fs.Sub(c.FS(t.Context()), "srv/fixed")
			t.Check(err, "sub")
			if err := fstest.TestFS(sub, "a.txt", "sub/b.txt", "sub/deep/c"); err != nil {
				t.Error(err)
			}
			data, err := fs.ReadFile(c.FS(t.Context()), "etc/passwd")
			t.Check(err, "read")
			t.Contains("passwd", string(data), "root:")
			_, err = fs.Stat(c.FS(t.Context()), "nosuch")
			t.WantError("a file that does not exist", err, fs.ErrNotExist)
		}},
	}
}

type tarEntry struct {
	name, data string
	mode       int64
}

// tarOf makes a tar whose files belong to 1234:4321.
func tarOf(t *T, entries ...tarEntry) io.Reader {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.data)), Uid: 1234, Gid: 4321}
		if e.name[len(e.name)-1] == '/' {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, e.data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &buf
}

// untar reads a tar into names and contents; links are "-> target".
func untar(t *T, r io.Reader) map[string]string {
	t.Helper()
	got := map[string]string{}
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return got
		}
		t.Check(err, "read the tar")
		switch h.Typeflag {
		case tar.TypeSymlink:
			got[h.Name] = "-> " + h.Linkname
		case tar.TypeReg:
			if h.Size > 1<<20 {
				continue
			}
			data, err := io.ReadAll(tr)
			t.Check(err, "read %s", h.Name)
			got[h.Name] = string(data)
		}
	}
}
