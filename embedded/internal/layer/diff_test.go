//go:build linux

package layer

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/node"
	"github.com/berthdev/berth/engine"
)

// withOverlay runs f with lowers, topmost first, and upper mounted on a directory, in
// a mount namespace of its own that ends with it.
func withOverlay(t *testing.T, lowers []string, upper string, f func(merged string)) {
	t.Helper()
	dir := t.TempDir()
	merged, work := filepath.Join(dir, "merged"), filepath.Join(dir, "work")
	if err := errors.Join(os.Mkdir(merged, 0o755), os.Mkdir(work, 0o755)); err != nil {
		t.Fatal(err)
	}
	options := "lowerdir=" + strings.Join(lowers, ":")
	if upper != "" {
		options += ",upperdir=" + upper + ",workdir=" + work + ",redirect_dir=off,metacopy=off"
	}
	done := make(chan error)
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if err == nil {
			err = unix.Mount("overlay", merged, "overlay", 0, options)
		}
		if err != nil {
			done <- err
			return
		}
		f(merged)
		done <- unix.Unmount(merged, 0)
	}()
	if err := <-done; err != nil {
		t.Fatalf("overlay: %v", err)
	}
}

func check(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
}

// What a container does in an overlay becomes a layer that, on the same layers, makes the same tree.
func TestDiffOfOverlay(t *testing.T) {
	bottom := unpackOK(t, pack(t,
		folder("etc"), file("etc/passwd", "root"), file("etc/group", "g"), folder("var"), folder("var/log"), file("var/log/a", "1"), folder("opt"), file("opt/x", "1"),
		folder("same"), folder("same/sub"), file("same/sub/f", "1"), symlink("link", "etc"), file("twice", "2"), hardlink("twice2", "twice"), folder("kind"), file("kind/f", "x"), file("hidden", "x"),
		folder("replaced"), file("replaced/a", "1"), folder("replaced/b"), file("replaced/b/c", "2"), file("replaced/keep", "3"),
	), Options{})
	top := unpackOK(t, pack(t, file(".wh.hidden", ""), folder("opt"), file("opt/y", "2"), folder("replaced"), file("replaced/.wh.a", "")), Options{})
	lowers := []string{top.Dir, bottom.Dir}
	upper := t.TempDir()
	os.Chmod(upper, 0o755)
	var want map[string]string
	withOverlay(t, lowers, upper, func(m string) {
		at := func(name string) string { return filepath.Join(m, name) }
		check(t,
			os.WriteFile(at("etc/passwd"), []byte("root2"), 0o644), os.Remove(at("etc/group")), os.WriteFile(at("etc/new"), []byte("n"), 0o600), os.Chown(at("etc/new"), 3, 4),
			os.RemoveAll(at("var")), os.Mkdir(at("hidden"), 0o700), os.WriteFile(at("opt/x"), []byte("changed"), 0o644), os.Chmod(at("same/sub/f"), 0o4755),
			os.RemoveAll(at("kind")), os.WriteFile(at("kind"), []byte("file"), 0o644), os.Symlink("/abs", at("sym")), os.Mkdir(at("made"), 0o711), os.WriteFile(at("made/1"), []byte("h"), 0o644), os.Link(at("made/1"), at("made/2")),
			os.RemoveAll(at("replaced")), os.Mkdir(at("replaced"), 0o750), os.WriteFile(at("replaced/keep"), []byte("new"), 0o644), os.Mkdir(at("replaced/b"), 0o755),
			unix.Mkfifo(at("pipe"), 0o600), unix.Mknod(at("dev"), unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))), unix.Setxattr(at("made/1"), "user.k", []byte("v"), 0),
			unix.Mknod(at("sock"), unix.S_IFSOCK|0o600, 0), os.Rename(at("twice"), at("moved")), os.WriteFile(at("empty"), nil, 0o644),
		)
		want = describe(t, m)
	})
	delete(want, "sock") // layers have none
	changes, err := Changes(t.Context(), upper, lowers, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range changes {
		got = append(got, "MAD"[c.Kind:c.Kind+1]+" "+c.Path)
	}
	wantChanges := []string{
		"A /dev", "A /empty", "M /etc", "D /etc/group", "A /etc/new", "M /etc/passwd", "A /hidden", "M /kind", "A /made", "A /made/1", "A /made/2", "A /moved", "M /opt", "M /opt/x",
		"A /pipe", "M /replaced", "M /replaced/b", "D /replaced/b/c", "M /replaced/keep", "M /same", "M /same/sub", "M /same/sub/f", "A /sock", "A /sym", "D /twice", "D /var",
	}
	if diff := cmp.Diff(wantChanges, got); diff != "" {
		t.Error(diff)
	}
	var data bytes.Buffer
	if err := Diff(t.Context(), &data, upper, Options{}); err != nil {
		t.Fatal(err)
	}
	again := unpackOK(t, data.Bytes(), Options{})
	withOverlay(t, append([]string{again.Dir}, lowers...), "", func(m string) {
		if diff := cmp.Diff(want, describe(t, m)); diff != "" {
			t.Error(diff)
		}
		if lgetxattr(filepath.Join(m, "made/2"), "user.k") != "v" {
			t.Error("the extended attribute is lost")
		}
	})
	// The same directory gives the same layer.
	var second bytes.Buffer
	if err := Diff(t.Context(), &second, upper, Options{}); err != nil || !bytes.Equal(data.Bytes(), second.Bytes()) {
		t.Errorf("the second diff is another one: %v", err)
	}
}

func TestDiffRefuses(t *testing.T) {
	for name, prepare := range map[string]func(dir string) error{
		"redirect": func(dir string) error { return unix.Setxattr(dir+"/d", "trusted.overlay.redirect", []byte("x"), 0) },
		"metacopy": func(dir string) error { return unix.Setxattr(dir+"/d", "trusted.overlay.metacopy", nil, 0) },
		"whiteout": func(dir string) error { return os.WriteFile(dir+"/d/.wh.x", nil, 0o600) },
	} {
		dir := t.TempDir()
		check(t, os.Mkdir(dir+"/d", 0o755), prepare(dir))
		if err := Diff(t.Context(), &bytes.Buffer{}, dir, Options{}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	os.WriteFile(dir+"/f", nil, 0o600)
	if err := Diff(ctx, &bytes.Buffer{}, dir, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := Changes(ctx, dir, nil, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A container of a program that itself runs containers has whiteouts as files with an attribute.
func TestChangesWhiteoutAttribute(t *testing.T) {
	lower, upper := t.TempDir(), t.TempDir()
	check(t, os.WriteFile(lower+"/f", []byte("x"), 0o600), os.WriteFile(upper+"/f", nil, 0o600), unix.Setxattr(upper+"/f", "trusted.overlay.whiteout", nil, 0))
	got, err := Changes(t.Context(), upper, []string{lower}, Options{})
	if diff := cmp.Diff([]engine.Change{{Path: "/f", Kind: engine.ChangeDeleted}}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// While an upper directory is walked its container may put a symbolic link in a
// directory's place: what it leads to is not read.
func TestWalkFollowsNothing(t *testing.T) {
	upper, out := t.TempDir(), t.TempDir()
	check(t, os.WriteFile(out+"/secret", []byte("x"), 0o600), os.Mkdir(upper+"/d", 0o755))
	root, err := node.OpenDir(upper)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	n, err := node.Open(root.FD, "d", "d")
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	check(t, os.Remove(upper+"/d"), os.Symlink(out, upper+"/d"))
	if names, err := n.Names(); len(names) != 0 {
		t.Errorf("%v, %v", names, err)
	}
	n2, err := node.Open(root.FD, "d", "d")
	if err != nil || n2.IsDir() {
		t.Errorf("%+v, %v", n2, err)
	}
	n2.Close()
}
