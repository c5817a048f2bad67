//go:build linux

package files

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/xattr"
	"github.com/berthdev/berth/engine"
)

func hdr(name string) tar.Header { return tar.Header{Name: name, Uid: 7, Gid: 8} }

func TestPut(t *testing.T) {
	bothViews(t, func(t *testing.T, _ rig, v *View) {
		entries := []any{
			tar.Header{Name: "a/", Typeflag: tar.TypeDir, Mode: 0o2750, Uid: 1, Gid: 2},
			tar.Header{Name: "a/f", Mode: 0o4755, Uid: 3, Gid: 4, PAXRecords: map[string]string{xattr.PAX + "user.x": "\x00value", xattr.PAX + "trusted.overlay.opaque": "y"}}, "data",
			tar.Header{Name: "a/hard", Typeflag: tar.TypeLink, Linkname: "a/f"},
			tar.Header{Name: "a/soft", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd", Uid: 5, Gid: 6},
			tar.Header{Name: "a/fifo", Typeflag: tar.TypeFifo, Mode: 0o600},
			tar.Header{Name: "a/null", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3, Mode: 0o666},
			hdr("deep/er/f"), "deep",
			hdr("out/via-link"), "in etc",
			hdr("./dot"), "dot",
			hdr("/rooted"), "rooted",
		}
		put(t, v, "/", tarOf(t, entries...), PutOptions{})
		r, _, err := v.GetArchive(t.Context(), "/a", engine.ArchiveOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got, headers := untar(t, r)
		r.Close()
		for name, want := range map[string]string{"a/": "", "a/f": "data", "a/hard": "=> a/f", "a/soft": "-> /etc/passwd", "a/fifo": "", "a/null": ""} {
			h := headers[name]
			if h == nil || got[name] != want {
				t.Errorf("%s is %q, %+v", name, got[name], h)
				continue
			}
			if !h.ModTime.Equal(time.Unix(1e9, 0)) {
				t.Errorf("%s has the time %v", name, h.ModTime)
			}
		}
		if h := headers["a/f"]; h.Mode != 0o4755 || h.Uid != 3 || h.Gid != 4 || h.PAXRecords[xattr.PAX+"user.x"] != "\x00value" || h.PAXRecords[xattr.PAX+"trusted.overlay.opaque"] != "" {
			t.Errorf("file: %+v", h)
		}
		if h := headers["a/"]; h.Mode != 0o2750 || h.Uid != 1 || h.Gid != 2 {
			t.Errorf("directory: %+v", h)
		}
		if h := headers["a/soft"]; h.Uid != 5 || h.Gid != 6 {
			t.Errorf("link: %+v", h)
		}
		if h := headers["a/null"]; h.Typeflag != tar.TypeChar || h.Devmajor != 1 || h.Devminor != 3 || h.Mode != 0o666 {
			t.Errorf("device: %+v", h)
		}
		for path, want := range map[string]string{"/deep/er/f": "deep", "/etc/via-link": "in etc", "/dot": "dot", "/rooted": "rooted"} {
			if got, _ := get(t, v, path); got[filepath.Base(path)] != want {
				t.Errorf("%s is %v", path, got)
			}
		}
		// Again, over what is there: through a link to the directory, links replaced themselves.
		put(t, v, "/d/up/up/", tarOf(t, hdr("f"), "new", tar.Header{Name: "sub/", Typeflag: tar.TypeDir, Mode: 0o700}), PutOptions{})
		put(t, v, "/", tarOf(t, hdr("link"), "no link any more"), PutOptions{})
		put(t, v, "/", tarOf(t, hdr("deep"), "no directory any more"), PutOptions{PutArchiveOptions: engine.PutArchiveOptions{CopyUIDGID: true}, UID: 11, GID: 12})
		if got, _ := get(t, v, "/d"); got["d/f"] != "new" || got["d/up"] != "-> ../d" {
			t.Errorf("/d is %v", got)
		}
		if got, _ := get(t, v, "/link"); got["link"] != "no link any more" {
			t.Errorf("/link is %v", got)
		}
		r, _, err = v.GetArchive(t.Context(), "/deep", engine.ArchiveOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, headers = untar(t, r)
		if h := headers["deep"]; h == nil || h.Uid != 11 || h.Gid != 12 {
			t.Errorf("CopyUIDGID: %+v", h)
		}
	})
}

func TestPutErrors(t *testing.T) {
	noOverwrite := PutOptions{PutArchiveOptions: engine.PutArchiveOptions{NoOverwriteDirNonDir: true}}
	bothViews(t, func(t *testing.T, r rig, v *View) {
		for _, test := range []struct {
			name string
			dir  string
			data []byte
			opts PutOptions
			err  error
		}{
			{"missing", "/nosuch/dir", tarOf(t, hdr("x")), PutOptions{}, engine.ErrNotFound},
			{"dangling", "/dangling", tarOf(t, hdr("x")), PutOptions{}, engine.ErrNotFound},
			{"a file", "/etc/passwd", tarOf(t, hdr("x")), PutOptions{}, engine.ErrInvalid},
			{"garbage", "/", bytes.Repeat([]byte("garbage"), 512), PutOptions{}, engine.ErrInvalid},
			{"file over directory", "/", tarOf(t, hdr("d")), noOverwrite, engine.ErrInvalid},
			{"directory over file", "/d", tarOf(t, tar.Header{Name: "f/", Typeflag: tar.TypeDir}), noOverwrite, engine.ErrInvalid},
			{"climbing", "/d", tarOf(t, hdr("../x")), PutOptions{}, engine.ErrInvalid},
			{"climbing link", "/d", tarOf(t, tar.Header{Name: "l", Typeflag: tar.TypeLink, Linkname: "../etc/passwd"}), PutOptions{}, engine.ErrInvalid},
			{"xz", "/", []byte{0xfd, '7', 'z', 'X', 'Z', 0, 0}, PutOptions{}, engine.ErrUnsupported},
		} {
			if err := v.PutArchive(t.Context(), test.dir, bytes.NewReader(test.data), test.opts); !errors.Is(err, test.err) {
				t.Errorf("%s: %v, want %v", test.name, err, test.err)
			}
		}
		if err := v.PutArchive(t.Context(), "/", bytes.NewReader(tarOf(t, hdr("x"), "data")[:514]), PutOptions{}); err == nil {
			t.Error("a tar that is cut short is accepted")
		}
		lost := errors.New("lost")
		if err := v.PutArchive(t.Context(), "/", io.MultiReader(bytes.NewReader(tarOf(t, hdr("y"), "data")[:600]), iotest.ErrReader(lost)), PutOptions{}); !errors.Is(err, lost) {
			t.Errorf("a reader that fails: %v", err)
		}
		put(t, v, "/d", tarOf(t, tar.Header{Name: "f"}, "same kind", tar.Header{Name: "sub/", Typeflag: tar.TypeDir}), noOverwrite)
		for _, zipped := range [][]byte{gzipped(t, tarOf(t, hdr("z"), "zip")), zstded(t, tarOf(t, hdr("z"), "zip"))} {
			put(t, v, "/tmp/..", zipped, PutOptions{})
			if got, _ := get(t, v, "/z"); got["z"] != "zip" {
				t.Errorf("compressed: %v", got)
			}
			put(t, v, "/", tarOf(t, hdr("z"), ""), PutOptions{})
		}
		if _, err := os.Lstat(r.dir + "/x"); err == nil {
			t.Error("something was written outside")
		}
	})
}

func gzipped(t *testing.T, data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

func zstded(t *testing.T, data []byte) []byte {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll(data, nil)
}

// TestIDs: tars have the container's numbers.
func TestIDs(t *testing.T) {
	r := newRig(t)
	s := r.stopped()
	s.Write = true
	s.UIDMap = []engine.IDMap{{ContainerID: 0, HostID: 100000, Size: 1000}}
	s.GIDMap = []engine.IDMap{{ContainerID: 0, HostID: 200000, Size: 1000}}
	v := r.open(t, s)
	put(t, v, "/etc", tarOf(t, hdr("x"), "x"), PutOptions{})
	var st unix.Stat_t
	if err := unix.Stat(r.dir+"/upper/etc/x", &st); err != nil || st.Uid != 100007 || st.Gid != 200008 {
		t.Errorf("%d:%d, %v", st.Uid, st.Gid, err)
	}
	a, _, err := v.GetArchive(t.Context(), "/etc", engine.ArchiveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, headers := untar(t, a)
	if h := headers["etc/x"]; h.Uid != 7 || h.Gid != 8 {
		t.Errorf("%+v", h)
	}
	if h := headers["etc/passwd"]; h.Uid != overflowID {
		t.Errorf("a file of an unmapped owner: %+v", h)
	}
	if err := v.PutArchive(t.Context(), "/", bytes.NewReader(tarOf(t, tar.Header{Name: "y", Uid: 5000})), PutOptions{}); err == nil {
		t.Error("an unmapped owner is accepted")
	}
}

// TestShift: the layers and volumes of a container with a user namespace have its own numbers on the disk, its upper directory the host's.
func TestShift(t *testing.T) {
	r := newRig(t)
	volume := mkdir(t, r.dir+"/volume")
	s := r.stopped()
	s.Write = true
	s.UIDMap = []engine.IDMap{{ContainerID: 0, HostID: 100000, Size: 1000}}
	s.GIDMap = s.UIDMap
	s.UserNS = func() (*os.File, error) { return userNS(t) }
	s.Mounts = []Mount{{Source: volume, Target: "/new/v", Shift: true}}
	v := r.open(t, s)
	put(t, v, "/etc", tarOf(t, hdr("x"), "x"), PutOptions{})
	put(t, v, "/new/v", tarOf(t, hdr("y"), "y"), PutOptions{})
	owner := func(name string) uint32 {
		var st unix.Stat_t
		if err := unix.Stat(r.dir+name, &st); err != nil {
			t.Error(err)
		}
		return st.Uid
	}
	for name, want := range map[string]uint32{"/upper/etc": 100000, "/upper/etc/x": 100007, "/upper/new": 100000, "/upper/new/v": 100000, "/volume/y": 7, "/layer/etc": 0} {
		if got := owner(name); got != want {
			t.Errorf("%s belongs to %d, want %d", name, got, want)
		}
	}
	v.Close()
	s.Write = false
	v = r.open(t, s)
	a, err := v.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, headers := untar(t, a)
	for name, want := range map[string]int{"etc/": 0, "etc/x": 7, "etc/passwd": 0, "d/f": 0} {
		if h := headers[name]; h == nil || h.Uid != want {
			t.Errorf("%s: %+v", name, h)
		}
	}
	if got, st := get(t, v, "/new/v/y"); got["y"] != "y" || st.Size != 1 {
		t.Errorf("the volume has %v", got)
	}
}

// userNS is a user namespace with IDs from 100000 on.
func userNS(t *testing.T) (*os.File, error) {
	cmd := exec.Command("/bin/sleep", "1000")
	m := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 100000, Size: 1000}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER, UidMappings: m, GidMappings: m, Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	return os.Open(fmt.Sprintf("/proc/%d/ns/user", cmd.Process.Pid))
}

// TestSparse: a huge file with holes takes no space, neither way.
func TestSparse(t *testing.T) {
	r := newRig(t)
	s := r.stopped()
	s.Write = true
	v := r.open(t, s)
	const size = 1 << 30
	if err := os.Truncate(r.dir+"/layer/d/f", size); err != nil {
		t.Fatal(err)
	}
	if err := v.CopyTree(t.Context(), "/d", mkdir(t, r.dir+"/copy")); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(r.dir+"/copy/f", &st); err != nil || st.Size != size || st.Blocks > 100 {
		t.Errorf("the copy has %d bytes in %d blocks, %v", st.Size, st.Blocks, err)
	}
}

func mkdir(t *testing.T, dir string) string {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestRaces: a container that turns directories into links while archives come and go reaches nothing outside.
func TestRaces(t *testing.T) {
	r := newRig(t)
	victim := mkdir(t, r.dir+"/victim")
	r.write(t, "victim/secret", "secret")
	pid := r.run(t)
	v, err := Running(pid, 0, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	root, err := v.root.hold()
	if err != nil {
		t.Fatal(err)
	}
	defer root.release()
	inside := func(name string) string { return xattr.Path(root.fd) + name }
	if err := errors.Join(os.Mkdir(inside("/w"), 0o777), os.Mkdir(inside("/w/a"), 0o777), os.Symlink(victim, inside("/w/b"))); err != nil {
		t.Fatal(err)
	}
	dir, err := os.OpenRoot(inside("/w/a")) // wherever it is called
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil { // /w/a is a directory and a link in turn
			unix.Renameat2(unix.AT_FDCWD, inside("/w/a"), unix.AT_FDCWD, inside("/w/b"), unix.RENAME_EXCHANGE)
		}
	})
	wg.Go(func() {
		for ctx.Err() == nil { // and so are the files that are made
			dir.Remove("f")
			dir.Symlink(victim+"/secret", "f")
		}
	})
	data := tarOf(t, tar.Header{Name: "a/f", Mode: 0o4777, Uid: 9, Gid: 9}, "overwritten", tar.Header{Name: "a/l", Typeflag: tar.TypeLink, Linkname: "a/secret"}, tar.Header{Name: "a/d/", Typeflag: tar.TypeDir, Mode: 0o777},
		tar.Header{Name: "a/fifo", Typeflag: tar.TypeFifo, Mode: 0o777})
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		_ = v.PutArchive(ctx, "/w", bytes.NewReader(data), PutOptions{}) // it fails as a rule
		if a, _, err := v.GetArchive(ctx, "/w/a/", engine.ArchiveOptions{}); err == nil {
			tr := tar.NewReader(a)
			for h, err := tr.Next(); err == nil; h, err = tr.Next() {
				if text, _ := io.ReadAll(tr); string(text) == "secret" {
					t.Errorf("a file of the host is in the archive: %+v", h)
				}
			}
			a.Close()
		}
		_, _ = v.Stat(ctx, "/w/a/secret")
	}
	cancel()
	wg.Wait()
	list, err := os.ReadDir(victim)
	var st unix.Stat_t
	text, rerr := os.ReadFile(victim + "/secret")
	if err := errors.Join(err, rerr, unix.Stat(victim+"/secret", &st)); err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || string(text) != "secret" || st.Mode&0o7777 != 0o644 || st.Uid != 0 || st.Nlink != 1 {
		t.Errorf("outside is %v, %q, %+v", list, text, st)
	}
}

func FuzzCleanName(f *testing.F) {
	for _, s := range []string{"a/b", "../x", "/", "a/../../x", "./", "..", "a\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		clean, err := cleanName(name)
		if err == nil && (!filepath.IsLocal(clean) || strings.HasPrefix(clean, "/")) {
			t.Errorf("%q is %q", name, clean)
		}
		if got := absolute(name); !strings.HasPrefix(got, "/") || strings.Contains(got, "//") || strings.Contains(got, "/../") {
			t.Errorf("%q is %q", name, got)
		}
	})
}
