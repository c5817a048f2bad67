package oracle

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
)

// TestDockerFiles compares archives, both ways.
func TestDockerFiles(t *testing.T) {
	w := newWorld(t, "docker", "docker")
	w.run("get", func(w *world) { getArchive(w, func(string, m) {}) })
	w.run("put", func(w *world) { putArchive(w) })
	w.run("export", func(w *world) { exportTest(w) })
}

// entries are the members of a tar, without the order of directories' contents.
func entries(t testing.TB, data string) map[string]tar.Header {
	t.Helper()
	out := map[string]tar.Header{}
	r := tar.NewReader(strings.NewReader(data))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[h.Name] = tar.Header{
			Typeflag: h.Typeflag, Linkname: h.Linkname, Mode: h.Mode, Uid: h.Uid, Gid: h.Gid, Size: h.Size, ModTime: h.ModTime.UTC(), Devmajor: h.Devmajor, Devminor: h.Devminor,
			Uname: string(content), // the content, in a field that has no other use here
		}
	}
}

const files = `mkdir -p /d/sub; echo content >/d/f; chmod 4750 /d/f; chown 12:34 /d/f; ln -s f /d/link; ln /d/f /d/hard; mkfifo /d/fifo; touch -d '2001-02-03 04:05:06' /d/sub; ` +
	`: >/d/empty; ln -s /nosuch /d/dangling; printf '\377' >"/d/sp ace"; chmod 1777 /d/sub; ln -s d /toDir`

// getArchive fetches paths with both. neutral takes out of the dict about a path what
// this engine tells otherwise than Docker does, and Berth with it.
func getArchive(w *world, neutral func(path string, stat m)) {
	const expr = `(lambda r: [b"".join(r[0]), r[1]])(c.get_archive(path))`
	c := w.ended(files)
	// Podman's archives are empty for a moment after the end of a container, in Python; Berth asks until they are not.
	r, _, err := c.GetArchive(w.ctx, "/d")
	w.must(err)
	w.must(r.Close())
	for _, path := range []string{"/d", "/d/f", "/d/link", "/d/sub", "/d/empty", "/d/dangling", "/d/sp ace", "/d/fifo", "/d/sub/", "/toDir", "d", "/etc/passwd"} {
		w.py.with["path"] = path
		v, perr := w.py.try(c.ID(), expr)
		r, stat, berr := c.GetArchive(w.ctx, path)
		if perr != nil || berr != nil {
			if perr == nil || berr == nil {
				w.t.Errorf("%s: Python %v, Berth %v", path, perr, berr)
			}
			if berr == nil {
				r.Close()
			}
			continue
		}
		data := must(io.ReadAll(r))
		w.must(r.Close())
		py := v.([]any)
		neutral(path, py[1].(m))
		if d := cmp.Diff(entries(w.t, string(py[0].(pyBytes))), entries(w.t, string(data))); d != "" {
			w.t.Errorf("%s: Python's tar (-) and Berth's (+) differ:\n%s", path, d)
		}
		equal(w.t, path, py[1], m{"name": stat.Name, "size": stat.Size, "mode": uint32(stat.Mode), "mtime": stat.ModTime, "linkTarget": stat.LinkTarget})
		equal(w.t, "StatPath of "+path, py[1], func() any {
			s := must(c.StatPath(w.ctx, path))
			return m{"name": s.Name, "size": s.Size, "mode": uint32(s.Mode), "mtime": s.ModTime, "linkTarget": s.LinkTarget}
		}())
	}
	// Python: the tar of "/d/." has "." or nothing as its root, as docker cp and podman cp want it. Berth cleans the path: its root is "d".
	w.py.with["path"] = "/d/."
	py, _ := w.py.eval(c.ID(), expr).([]any)
	r, stat, err := c.GetArchive(w.ctx, "/d/.")
	w.must(err)
	own := entries(w.t, string(must(io.ReadAll(r))))
	w.must(r.Close())
	for name := range entries(w.t, string(py[0].(pyBytes))) {
		if _, ok := own["d/"+strings.TrimPrefix(name, "./")]; !ok {
			w.t.Errorf("%q of Python's tar of /d/. has no counterpart in Berth's", name)
		}
	}
	if stat.Name != "d" {
		w.t.Errorf("the name of /d/. is %q", stat.Name)
	}
	w.py.with["path"] = "/nosuch"
	_, perr := w.py.try(c.ID(), expr)
	_, _, berr := c.GetArchive(w.ctx, "/nosuch")
	if perr == nil || !errors.Is(berr, berth.ErrNotFound) {
		w.t.Errorf("a missing path: Python %v, Berth %v", perr, berr)
	}
}

// putArchive puts the same tar with both, and compares what is there then.
func putArchive(w *world) {
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, h := range []tar.Header{
		{Name: "new/", Typeflag: tar.TypeDir, Mode: 0o2750, Uid: 5, Gid: 6, ModTime: when},
		{Name: "new/f", Typeflag: tar.TypeReg, Mode: 0o4711, Uid: 7, Gid: 8, ModTime: when, Size: 3},
		{Name: "new/link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd", Mode: 0o777, ModTime: when},
	} {
		w.must(tw.WriteHeader(&h))
		if h.Size > 0 {
			must(tw.Write([]byte("abc")))
		}
	}
	w.must(tw.Close())
	one, two := w.create(sleeper()), w.create(sleeper())
	w.py.with["tar"] = b.Bytes() // base64, as JSON has bytes
	equal(w.t, "put_archive", w.py.eval(one.ID(), `c.put_archive("/tmp", base64.b64decode(tar))`), true)
	w.must(two.PutArchive(w.ctx, "/tmp", bytes.NewReader(b.Bytes())))
	read := func(c *berth.Container) map[string]tar.Header {
		r, _, err := c.GetArchive(w.ctx, "/tmp/new")
		w.must(err)
		defer r.Close()
		return entries(w.t, string(must(io.ReadAll(r))))
	}
	if d := cmp.Diff(read(one), read(two)); d != "" {
		w.t.Errorf("what Python has put (-) and what Berth has (+) differ:\n%s", d)
	}
}

// exportTest compares the tars of a container that does not change any more.
func exportTest(w *world) {
	c := w.ended(files)
	r := must(c.Export(w.ctx))
	defer r.Close()
	own := entries(w.t, string(must(io.ReadAll(r))))
	py := entries(w.t, string(w.py.eval(c.ID(), `b"".join(c.export())`).(pyBytes)))
	if len(own) == 0 {
		w.t.Error("the export is empty")
	}
	if d := cmp.Diff(py, own); d != "" {
		w.t.Errorf("Python's export (-) and Berth's (+) differ:\n%s", d)
	}
}
