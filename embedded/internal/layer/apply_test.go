//go:build linux

package layer

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

func TestApply(t *testing.T) {
	root := folder("./")
	root.Mode, root.Uid = 0o1777, 7
	su := file("bin/su", "#!su")
	su.Mode, su.Uid, su.Gid = 0o6755, 1, 2
	caps := "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	su.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": caps, "SCHILY.xattr.user.a": "b", "SCHILY.xattr.trusted.overlay.opaque": "y", "SCHILY.xattr.security.selinux": "x"}
	null := entry(tar.TypeChar, "dev/null", "")
	null.Devmajor, null.Devminor = 1, 3
	disk := entry(tar.TypeBlock, "dev/disk", "")
	disk.Devmajor, disk.Devminor = 8, 300
	closed := folder("closed")
	closed.Mode, closed.ModTime = 0o500, day.Add(time.Hour)
	link := symlink("dangling", "/nowhere")
	link.Uid = 3
	l := unpackOK(t, pack(t,
		root, item{Header: tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "x"}}},
		closed, file("closed/in", "1"), folder("bin"), su, hardlink("bin/su2", "/bin/su"), null, disk,
		entry(tar.TypeFifo, "fifo", ""), link, file("/abs/a/b", "deep"), file("empty", ""),
		symlink("usr", "closed"), file("usr/through", "2"), symlink("absdir", "/bin"), file("absdir/x", "3"),
		file("a/../dots", "4"), hardlink("linkedlink", "dangling"), file(strings.Repeat("long/", 60)+"name", "5"),
	), Options{})
	got := describe(t, l.Dir)
	for name, want := range map[string]string{
		"closed": "40500 0:0", "closed/in": `100644 0:0 "1"`, "closed/through": `100644 0:0 "2"`, "bin/x": `100644 0:0 "3"`,
		"bin/su": `106755 1:2 "#!su"`, "bin/su2": `106755 1:2 "#!su"`, "dev/null": "20644 0:0 1:3", "dev/disk": "60644 0:0 8:300",
		"fifo": "10644 0:0", "dangling": "120777 3:0 -> /nowhere", "linkedlink": "120777 3:0 -> /nowhere", "abs": "40755 0:0", "abs/a/b": `100644 0:0 "deep"`,
		"dots": `100644 0:0 "4"`, "empty": `100644 0:0 ""`, "usr": "120777 0:0 -> closed",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	su1 := filepath.Join(l.Dir, "bin/su")
	if got := lgetxattr(su1, "security.capability"); got != caps {
		t.Errorf("capabilities are %q", got)
	}
	if lgetxattr(su1, "user.a") != "b" || lgetxattr(su1, "trusted.overlay.opaque") != "" {
		t.Error("extended attributes are wrong")
	}
	want := []string{"bin/su: extended attribute security.selinux", "bin/su: extended attribute trusted.overlay.opaque"}
	if diff := cmp.Diff(want, l.Skipped); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]time.Time{"closed": day.Add(time.Hour), "bin/su": day, "dangling": day, ".": day} {
		var st unix.Stat_t
		unix.Lstat(filepath.Join(l.Dir, name), &st)
		if got := time.Unix(st.Mtim.Unix()); !got.Equal(want) {
			t.Errorf("time of %s is %v, want %v", name, got, want)
		}
	}
	st, _ := os.Stat(l.Dir)
	if st.Mode() != os.ModeDir|os.ModeSticky|0o777 {
		t.Errorf("the root's mode is %v", st.Mode())
	}
	if l.Size != 4+1+4+1+1+1+1+int64(len("/nowhere")+len("closed")+len("/bin")) {
		t.Errorf("size is %d", l.Size)
	}
}

// Every tar here tries to reach what is outside. Nothing there may change, whether or not the tar is refused.
func TestApplyStaysInside(t *testing.T) {
	up := strings.Repeat("../", 30)
	for name, test := range map[string]struct {
		list    func(out string) []item
		refused bool
	}{
		"dots":              {func(string) []item { return []item{file("../victim", "x")} }, true},
		"many dots":         {func(out string) []item { return []item{file(up+out+"/victim", "x")} }, true},
		"dots inside":       {func(string) []item { return []item{file("a/../../victim", "x")} }, true},
		"absolute":          {func(out string) []item { return []item{file(out+"/victim", "x")} }, false},
		"absolute symlink":  {func(out string) []item { return []item{symlink("l", out), file("l/victim", "x")} }, true},
		"relative symlink":  {func(out string) []item { return []item{symlink("l", up+out), file("l/victim", "x")} }, true},
		"symlink to parent": {func(string) []item { return []item{symlink("l", ".."), file("l/victim", "x")} }, false},
		"symlink chain": {func(out string) []item {
			return []item{symlink("a", out), symlink("b", "a"), file("b/victim", "x")}
		}, true},
		"symlink as the target": {func(out string) []item { return []item{symlink("v", out+"/victim"), file("v", "x")} }, false},
		"directory on symlink": {func(out string) []item {
			h := folder("d")
			h.Mode = 0o777
			return []item{symlink("d", out), h}
		}, false},
		"hard link out":        {func(out string) []item { return []item{hardlink("h", out+"/victim"), file("h", "x")} }, true},
		"hard link by dots":    {func(out string) []item { return []item{hardlink("h", up+out+"/victim")} }, true},
		"hard link by symlink": {func(out string) []item { return []item{symlink("l", out), hardlink("h", "l/victim")} }, true},
		"hard link of symlink": {func(out string) []item {
			return []item{symlink("l", out+"/victim"), hardlink("h", "l"), file("h", "x")}
		}, false},
		"directory became link": {func(out string) []item {
			return []item{folder("d"), file("d/a", "1"), symlink("d", out), file("d/victim", "x")}
		}, true},
		"whiteout":         {func(out string) []item { return []item{symlink("l", out), file("l/.wh.victim", "")} }, true},
		"whiteout of dots": {func(string) []item { return []item{folder("d"), file("d/.wh...", "")} }, true},
		"opaque":           {func(out string) []item { return []item{symlink("l", out), file("l/.wh..wh..opq", "")} }, true},
		"magic link":       {func(string) []item { return []item{symlink("p", "/proc/self/cwd"), file("p/victim", "x")} }, true},
		"device over link": {func(out string) []item {
			return []item{symlink("v", out+"/victim"), entry(tar.TypeFifo, "v", "")}
		}, false},
		"late directory": {func(out string) []item {
			h := folder("d")
			h.Mode, h.Uid = 0o777, 5
			return []item{h, symlink("d", out)}
		}, false},
		"late directory two": {func(out string) []item {
			h := folder("a/d")
			h.Mode, h.Uid = 0o777, 5
			return []item{folder("a"), h, symlink("a", out)}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			if err := os.WriteFile(filepath.Join(out, "victim"), []byte("safe"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(filepath.Join(out, "d"), 0o700); err != nil {
				t.Fatal(err)
			}
			before := describe(t, out)
			l, err := unpack(t, pack(t, test.list(out)...), Options{})
			if diff := cmp.Diff(before, describe(t, out)); diff != "" {
				t.Fatal("outside: " + diff)
			}
			if st, err := os.Stat(out); err != nil || st.Mode().Perm() != 0o755 || lgetxattr(out, "trusted.overlay.opaque") != "" {
				t.Fatalf("outside: %v, %v", st.Mode(), err)
			}
			beside, _ := os.ReadDir(filepath.Dir(l.Dir))
			for _, e := range beside {
				if e.Name() != "diff" && e.Name() != "replaced" {
					t.Fatalf("beside the layer: %s", e.Name())
				}
			}
			if (err != nil) != test.refused {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestApplyWhiteouts(t *testing.T) {
	for _, opts := range []Options{{}, {UserXattr: true}} {
		l := unpackOK(t, pack(t,
			file(".wh.gone", ""), folder("d"), file("d/.wh..wh..opq", ""), file("d/new", "1"), file("e/.wh.deep", ""),
			file("f/.wh..wh..opq", ""), file("both", "2"), file(".wh.both", ""), file(".wh.dir", ""), folder("dir"), file("dir/x", "3"),
			folder("dir2"), file(".wh.dir2", ""), file(".wh..wh.plnk", ""), file(".wh.file", ""), file("file", "4"), file(".wh.twice", ""), file(".wh.twice", ""),
		), opts)
		got := describe(t, l.Dir)
		for name, want := range map[string]string{
			"gone": "20000 0:0 0:0", "e/deep": "20000 0:0 0:0", "both": `100644 0:0 "2"`, "file": `100644 0:0 "4"`, "dir": "40755 0:0", "twice": "20000 0:0 0:0", "dir/x": `100644 0:0 "3"`,
		} {
			if got[name] != want {
				t.Errorf("%s is %q, want %q", name, got[name], want)
			}
		}
		for _, name := range []string{"d", "f", "dir", "dir2"} {
			if got := lgetxattr(filepath.Join(l.Dir, name), opts.prefix()+"opaque"); got != "y" {
				t.Errorf("%s is not opaque", name)
			}
		}
		for name := range got {
			if strings.Contains(name, ".wh.") {
				t.Errorf("there is %s", name)
			}
		}
	}
	for _, name := range []string{".wh.", "d/.wh..", ".wh..."} {
		if _, err := unpack(t, pack(t, file(name, "")), Options{}); err == nil {
			t.Errorf("whiteout %q was taken", name)
		}
	}
}

// A tar may have several entries of one name. The last one counts, and the tar comes back whole.
func TestApplyReplaces(t *testing.T) {
	l := unpackOK(t, pack(t,
		file("a", "first"), file("a", "second!"), folder("a"), file("a/x", "in"), file("a", "third"),
		folder("d"), folder("d/e"), file("d/e/f", "one"), file("d/g", "two"), hardlink("h", "d/g"), symlink("d", "other"),
		folder("r"), symlink("s", "r"), file("s/f", "by the link"), file("r/f", "direct"), file("r", "no more"),
		folder("z"), folder("z"), file("fifo", "x"), entry(tar.TypeFifo, "fifo", ""),
	), Options{})
	got := describe(t, l.Dir)
	want := map[string]string{
		"a": `100644 0:0 "third"`, "d": "120777 0:0 -> other", "h": `100644 0:0 "two"`, "r": `100644 0:0 "no more"`, "s": "120777 0:0 -> r", "z": "40755 0:0", "fifo": "10644 0:0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// GNU tar writes holes in two ways.
func TestApplySparse(t *testing.T) {
	dir := t.TempDir()
	const size = 17 << 30 >> 1 // more than the octal digits of a header hold
	f, err := os.Create(filepath.Join(dir, "holes"))
	if err != nil {
		t.Fatal(err)
	}
	f.WriteAt([]byte("start"), 0)
	f.WriteAt([]byte("middle"), 5<<20+100)
	f.WriteAt([]byte("end"), size-3)
	f.Close()
	for _, format := range []string{"gnu", "posix"} {
		data, err := exec.Command("tar", "-C", dir, "--sparse", "--format="+format, "-cf", "-", "holes").Output()
		if err != nil {
			t.Skipf("GNU tar: %v", err)
		}
		if len(data) > 1<<20 {
			t.Fatalf("%s: tar has %d bytes", format, len(data))
		}
		l := unpackOK(t, data, Options{})
		st := must(os.Stat(filepath.Join(l.Dir, "holes")))
		if st.Size() != size {
			t.Errorf("%s: size is %d", format, st.Size())
		}
		var u unix.Stat_t
		unix.Stat(filepath.Join(l.Dir, "holes"), &u)
		if u.Blocks > 1000 {
			t.Errorf("%s: it takes %d blocks", format, u.Blocks)
		}
		g := must(os.Open(filepath.Join(l.Dir, "holes")))
		for at, want := range map[int64]string{0: "start\x00", 5<<20 + 99: "\x00middle\x00", size - 4: "\x00end"} {
			got := make([]byte, len(want))
			if _, err := g.ReadAt(got, at); err != nil && err != io.EOF || string(got) != want {
				t.Errorf("%s: at %d: %q, %v", format, at, got, err)
			}
		}
		g.Close()
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestApplyOwners(t *testing.T) {
	h := file("a", "x")
	h.Uid, h.Gid = 10, 20
	opts := Options{UIDMap: []engine.IDMap{{ContainerID: 0, HostID: 100000, Size: 11}}, GIDMap: []engine.IDMap{{ContainerID: 0, HostID: 5, Size: 10}, {ContainerID: 10, HostID: 70000, Size: 100}}}
	l := unpackOK(t, pack(t, h), opts)
	if got := describe(t, l.Dir)["a"]; got != `100644 100010:70010 "x"` {
		t.Error(got)
	}
	var buf bytes.Buffer
	if err := Diff(t.Context(), &buf, l.Dir, opts); err != nil {
		t.Fatal(err)
	}
	if back, err := tar.NewReader(&buf).Next(); err != nil || back.Uid != 10 || back.Gid != 20 {
		t.Errorf("%+v, %v", back, err)
	}
	h.Uid = 11
	if _, err := unpack(t, pack(t, h), opts); err == nil {
		t.Error("an owner outside of the map was taken")
	}
	l = unpackOK(t, pack(t, h), Options{IgnoreOwners: true})
	if got := describe(t, l.Dir)["a"]; got != `100644 0:0 "x"` {
		t.Error(got)
	}
}

func TestApplyBroken(t *testing.T) {
	good := pack(t, file("a", strings.Repeat("x", 2000)), file("b", "y"))
	bad := slices.Clone(good)
	bad[10] ^= 1
	for name, data := range map[string][]byte{"cut in content": good[:1000], "cut in header": good[:3000], "checksum": bad, "garbage": []byte("garbage")} {
		if _, err := unpack(t, data, Options{}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	for _, list := range [][]item{
		{hardlink("a", "missing")}, {folder("d"), hardlink("a", "d")}, {file("f", "x"), file("f/below", "y")}, {file(".", "x")},
		{symlink("loop", "loop"), file("loop/x", "y")}, {symlink("l", "missing"), file("l/x", "y")},
	} {
		if _, err := unpack(t, pack(t, list...), Options{}); err == nil {
			t.Errorf("%v was taken", list)
		}
	}
	// What follows the archive's end belongs to it.
	unpackOK(t, append(slices.Clone(good), make([]byte, 9000)...), Options{})
	unpackOK(t, append(slices.Clone(good), "trailing"...), Options{})
	unpackOK(t, nil, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Apply(ctx, Target{Dir: t.TempDir()}, bytes.NewReader(good), Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestReplayChanged(t *testing.T) {
	l := unpackOK(t, pack(t, file("a", "content"), file("b", "x")), Options{})
	replay := func() error {
		return Replay(t.Context(), io.Discard, l.Dir, l.Replaced, bytes.NewReader(l.journal.Bytes()), l.DiffID)
	}
	name := filepath.Join(l.Dir, "a")
	os.WriteFile(name, []byte("CONTENT"), 0o644)
	if err := replay(); err == nil {
		t.Error("other content was not seen")
	}
	os.WriteFile(name, []byte("c"), 0o644)
	if err := replay(); err == nil {
		t.Error("a shorter file was not seen")
	}
	os.Remove(name)
	os.Symlink("/etc/passwd", name)
	if err := replay(); err == nil {
		t.Error("a symbolic link was not seen")
	}
	if err := Replay(t.Context(), io.Discard, l.Dir, "", bytes.NewReader(l.journal.Bytes()[:l.journal.Len()/2]), l.DiffID); err == nil {
		t.Error("a cut journal was not seen")
	}
}

func FuzzApply(f *testing.F) {
	f.Add(pack(f, folder("d"), file("d/a", "x"), symlink("l", "/etc"), file("l/x", "y"), hardlink("h", "d/a"), file(".wh.z", ""), file("d", "again")))
	f.Add(pack(f, file("../x", "y")))
	out := f.TempDir()
	os.WriteFile(filepath.Join(out, "victim"), []byte("safe"), 0o600)
	f.Add(pack(f, symlink("l", out), file("l/victim", "x")))
	before := describe(f, out)
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // a hole of exabytes
		defer cancel()
		dir := t.TempDir()
		diff := filepath.Join(dir, "diff")
		os.Mkdir(diff, 0o755)
		var journal bytes.Buffer
		res, err := Apply(ctx, Target{Dir: diff, Journal: &journal, Replaced: filepath.Join(dir, "replaced")}, bytes.NewReader(data), Options{NoDevices: true})
		if err == nil {
			var again bytes.Buffer
			if err := Replay(ctx, &again, diff, filepath.Join(dir, "replaced"), &journal, res.DiffID); err != nil || !bytes.Equal(again.Bytes(), data) {
				t.Errorf("replay: %v", err)
			}
		}
		if d := cmp.Diff(before, describe(t, out)); d != "" {
			t.Fatal(d)
		}
		entries, _ := os.ReadDir(dir)
		if len(entries) > 2 {
			t.Fatal("something is beside the layer")
		}
	})
}

func FuzzReplay(f *testing.F) {
	l := unpackOK(f, pack(f, file("a", "content"), file("a", "x")), Options{})
	f.Add(l.journal.Bytes())
	f.Fuzz(func(t *testing.T, journal []byte) {
		Replay(t.Context(), io.Discard, l.Dir, l.Replaced, bytes.NewReader(journal), l.DiffID) // no panic, no endless loop
	})
}
