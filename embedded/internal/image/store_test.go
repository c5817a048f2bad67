//go:build linux

package image

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

func TestResolve(t *testing.T) {
	s := open(t)
	img := imported(t, s, "busybox", "a", "1")
	other := imported(t, s, "registry:5000/a/b:v1", "a", "2")
	for ref, want := range map[string]string{
		"busybox": img.ID, "busybox:latest": img.ID, "library/busybox": img.ID, "docker.io/library/busybox:latest": img.ID, "index.docker.io/busybox": img.ID, "registry:5000/a/b:v1": other.ID,
		img.ID: img.ID, img.ID[7:]: img.ID, img.ID[7:20]: img.ID, img.ID[:20]: img.ID,
	} {
		got, err := s.Resolve(ref)
		if err != nil || got.ID != want {
			t.Errorf("%s: %v", ref, err)
		}
	}
	for _, ref := range []string{"busybox:other", "registry:5000/a/b", "nosuch", "ffffffffffff", "busybox@sha256:" + strings.Repeat("0", 64), "sha256:" + strings.Repeat("0", 64)} {
		if _, err := s.Resolve(ref); !errors.Is(err, engine.ErrImageNotFound) {
			t.Errorf("%s: %v", ref, err)
		}
	}
	for _, ref := range []string{"", "UPPER", "a b", "../x"} {
		if _, err := s.Resolve(ref); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%q: %v", ref, err)
		}
	}
	dirs, err := s.LayerDirs(img)
	if err != nil || len(dirs) != 1 || content(t, s, img, "a") != "1" {
		t.Errorf("%v, %v", dirs, err)
	}
}

// A layer may hide everything below it, which overlay does not do by itself.
func TestLayerDirsOpaque(t *testing.T) {
	s := open(t)
	img := imported(t, s, "x", "a", "1")
	for _, files := range [][]string{{".wh..wh..opq", "", "b", "2"}, {"c", "3"}} {
		var err error
		if img, err = s.Commit(t.Context(), CommitOptions{Base: img, Tar: bytes.NewReader(tarOf(t, files...))}); err != nil {
			t.Fatal(err)
		}
	}
	if dirs, err := s.LayerDirs(img); err != nil || len(dirs) != 2 || content(t, s, img, "a") != "" || content(t, s, img, "b") != "2" {
		t.Errorf("%v, %v", dirs, err)
	}
}

func TestTagAndRemove(t *testing.T) {
	s, ctx := open(t), t.Context()
	img := imported(t, s, "one", "a", "1")
	if err := errors.Join(s.Tag(ctx, "one", "two:v1"), s.Tag(ctx, img.ID[7:20], "localhost/three"), s.Tag(ctx, "one", "two:v2")); err != nil {
		t.Fatal(err)
	}
	if err := s.Tag(ctx, "nosuch", "x"); !errors.Is(err, engine.ErrImageNotFound) {
		t.Error(err)
	}
	if err := s.Tag(ctx, "one", "x@"+img.ID); !errors.Is(err, engine.ErrInvalid) {
		t.Error(err)
	}
	a, err := s.Inspect("one")
	if diff := cmp.Diff([]string{"one:latest", "two:v1", "two:v2", "localhost/three:latest"}, a.RepoTags); diff != "" || err != nil {
		t.Error(diff, err)
	}
	used := func(id string) []string { return []string{"c1"} }
	if _, err := s.Remove(ctx, img.ID, engine.ImageRemoveOptions{}, nil); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("several names: %v", err)
	}
	r, err := s.Remove(ctx, "two:v1", engine.ImageRemoveOptions{}, used)
	if diff := cmp.Diff(engine.ImageRemoveReport{Untagged: []string{"two:v1"}}, r); diff != "" || err != nil {
		t.Error(diff, err)
	}
	// A name goes to another image.
	second := imported(t, s, "localhost/three", "a", "2")
	if got, _ := s.Resolve("localhost/three"); got.ID != second.ID {
		t.Error("the name stayed")
	}
	if _, err := s.Remove(ctx, "localhost/three", engine.ImageRemoveOptions{}, used); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("in use: %v", err)
	}
	r, err = s.Remove(ctx, "localhost/three", engine.ImageRemoveOptions{Force: true}, used)
	if diff := cmp.Diff(engine.ImageRemoveReport{Untagged: []string{"localhost/three:latest"}, Deleted: []string{second.ID}}, r); diff != "" || err != nil {
		t.Error(diff, err)
	}
	r, err = s.Remove(ctx, img.ID[7:18], engine.ImageRemoveOptions{Force: true}, nil)
	if diff := cmp.Diff(engine.ImageRemoveReport{Untagged: []string{"one:latest", "two:v2"}, Deleted: []string{img.ID}}, r); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if l, b := layerNames(t, s), entries(t, s.path("blobs/sha256")); len(l)+len(b) > 0 {
		t.Errorf("left: %v, %v", l, b)
	}
	clean(t, s)
	if _, err := s.Remove(ctx, img.ID, engine.ImageRemoveOptions{}, nil); !errors.Is(err, engine.ErrImageNotFound) {
		t.Error(err)
	}
}

func TestListAndPrune(t *testing.T) {
	s, ctx := open(t), t.Context()
	base := imported(t, s, "base:v1", "a", "1")
	child, err := s.Commit(ctx, CommitOptions{Base: base, Tar: bytes.NewReader(tarOf(t, "b", "22")), Names: []string{"child"}, Changes: []string{"LABEL k=v"}})
	if err != nil {
		t.Fatal(err)
	}
	stray := imported(t, s, "", "c", "333")
	list := func(opts engine.ImageListOptions) (ids []string) {
		t.Helper()
		got, err := s.List(ctx, opts, func(id string) []string { return nil })
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range got {
			ids = append(ids, i.ID)
		}
		return ids
	}
	for _, test := range []struct {
		opts engine.ImageListOptions
		want []string
	}{
		{engine.ImageListOptions{}, []string{stray.ID, child.ID, base.ID}},
		{engine.ImageListOptions{Name: "base"}, []string{base.ID}},
		{engine.ImageListOptions{Name: "base:v1"}, []string{base.ID}},
		{engine.ImageListOptions{Name: "base:v2"}, nil},
		{engine.ImageListOptions{Filters: engine.Filters{"reference": {"b*:v?", "chil*"}}}, []string{child.ID, base.ID}},
		{engine.ImageListOptions{Filters: engine.Filters{"dangling": {"true"}}}, []string{stray.ID}},
		{engine.ImageListOptions{Filters: engine.Filters{"dangling": {"false"}}}, []string{child.ID, base.ID}},
		{engine.ImageListOptions{Filters: engine.Filters{"label": {"k"}}}, []string{child.ID}},
		{engine.ImageListOptions{Filters: engine.Filters{"label": {"k=w"}}}, nil},
		{engine.ImageListOptions{Filters: engine.Filters{"label!": {"k=v"}}}, []string{stray.ID, base.ID}},
		{engine.ImageListOptions{Filters: engine.Filters{"before": {"child"}}}, []string{base.ID}},
		{engine.ImageListOptions{Filters: engine.Filters{"since": {"base:v1"}}}, []string{stray.ID, child.ID}},
		{engine.ImageListOptions{Filters: engine.Filters{"until": {"1h"}}}, nil},
		{engine.ImageListOptions{Filters: engine.Filters{"id": {child.ID[7:17]}}}, []string{child.ID}},
	} {
		if diff := cmp.Diff(test.want, list(test.opts)); diff != "" {
			t.Errorf("%+v: %s", test.opts, diff)
		}
	}
	for _, f := range []engine.Filters{{"nosuch": {"x"}}, {"dangling": {"perhaps"}}, {"reference": {"["}}, {"until": {"soon"}}} {
		if _, err := s.List(ctx, engine.ImageListOptions{Filters: f}, nil); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%v: %v", f, err)
		}
	}
	sums, _ := s.List(ctx, engine.ImageListOptions{Name: "child"}, func(id string) []string { return []string{"c"} })
	if len(sums) != 1 || sums[0].Size != 3 || sums[0].ParentID != base.ID || *sums[0].Containers != 1 || sums[0].Labels["k"] != "v" {
		t.Errorf("%+v", sums)
	}
	// The parent without its name is in the way of nobody, and goes with its last child.
	if r, err := s.Remove(ctx, "base:v1", engine.ImageRemoveOptions{}, nil); err != nil || len(r.Deleted) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if diff := cmp.Diff([]string{stray.ID, child.ID}, list(engine.ImageListOptions{})); diff != "" {
		t.Error(diff)
	}
	if got := list(engine.ImageListOptions{All: true}); len(got) != 3 {
		t.Errorf("all: %v", got)
	}
	if _, err := s.Remove(ctx, base.ID, engine.ImageRemoveOptions{Force: true}, nil); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("removal of a parent: %v", err)
	}
	report, err := s.Prune(ctx, nil, nil)
	if diff := cmp.Diff(engine.PruneReport{Deleted: []string{stray.ID}, Reclaimed: 3}, report); diff != "" || err != nil {
		t.Error(diff, err)
	}
	report, err = s.Prune(ctx, engine.Filters{"dangling": {"false"}}, func(id string) []string {
		if id == child.ID {
			return []string{"c"}
		}
		return nil
	})
	if err != nil || len(report.Deleted) > 0 {
		t.Errorf("in use: %+v, %v", report, err)
	}
	report, err = s.Prune(ctx, engine.Filters{"dangling": {"false"}, "label": {"k=v"}}, nil)
	if diff := cmp.Diff(engine.PruneReport{Deleted: []string{"child:latest", child.ID, base.ID}, Reclaimed: 3}, report); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := s.Prune(ctx, engine.Filters{"reference": {"x"}}, nil); !errors.Is(err, engine.ErrInvalid) {
		t.Error(err)
	}
}

func TestInspectAndHistory(t *testing.T) {
	s, ctx := open(t), t.Context()
	base, err := s.Import(ctx, bytes.NewReader(gzipped(tarOf(t, "a", "1"))), engine.ImportOptions{Reference: "base", Message: "hello", Changes: []string{"CMD sleep 1", "EXPOSE 80"}, Platform: "linux/arm/v7"})
	if err != nil {
		t.Fatal(err)
	}
	img, err := s.Commit(ctx, CommitOptions{Base: base, Author: "me", Message: "made", CreatedBy: "sh", Override: &engine.ImageConfig{User: "u"}, Names: []string{"img:v1"}})
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Inspect("img:v1")
	if err != nil {
		t.Fatal(err)
	}
	if a.OS != "linux" || a.Architecture != "arm" || a.Variant != "v7" || a.Comment != "made" || a.Author != "me" || a.Parent != base.ID || a.Size != 1 || a.Config.User != "u" ||
		a.Config.Cmd[2] != "sleep 1" || a.Config.ExposedPorts[0] != "80/tcp" || len(a.Layers) != 1 || time.Since(a.Created) > time.Hour || !bytes.Contains(a.Raw, []byte(`"Os":"linux"`)) {
		t.Errorf("%+v", a)
	}
	h, err := s.History("img:v1")
	if err != nil || len(h) != 2 || h[0].ID != img.ID || h[0].CreatedBy != "sh" || h[0].Size != 0 || h[0].Tags[0] != "img:v1" || h[1].ID != "" || h[1].Size != 1 || h[1].Comment != "hello" {
		t.Errorf("%+v, %v", h, err)
	}
}

// Layers stay while a lease is held or a container has them.
func TestGC(t *testing.T) {
	root := t.TempDir()
	var used []string
	s := openAt(t, root, Options{NoSync: true, LayersInUse: func() ([]string, error) { return used, nil }})
	img := imported(t, s, "x", "a", "1")
	release, err := s.Lease(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	remove := func() {
		t.Helper()
		if _, err := s.Remove(t.Context(), "x", engine.ImageRemoveOptions{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	remove()
	if len(layerNames(t, s)) != 1 {
		t.Error("the layer is gone in spite of the lease")
	}
	used = img.DiffIDs // the container is there
	release()
	if freed, err := s.GC(); freed != 0 || err != nil || len(layerNames(t, s)) != 1 {
		t.Errorf("%d, %v: the layer is gone in spite of the container", freed, err)
	}
	used = nil
	if freed, err := s.GC(); freed != 1 || err != nil || len(layerNames(t, s)) != 0 {
		t.Errorf("%d, %v: the layer is there", freed, err)
	}
	// What could not be removed at its time is removed by who was in the way.
	imported(t, s, "x", "a", "1")
	b, err := s.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	remove()
	if len(layerNames(t, s)) != 1 {
		t.Error("the layer is gone beside a batch")
	}
	if err := b.close(); err != nil || len(layerNames(t, s)) != 0 {
		t.Errorf("the layer is there, %v", err)
	}
	clean(t, s)
}

// A program that dies in the middle leaves nothing that others see, and the next one removes it.
func TestCrash(t *testing.T) {
	if root := os.Getenv("BERTH_TEST_CRASH"); root != "" {
		s := openAt(t, root, Options{})
		r, w, _ := os.Pipe()
		w.Write(tarOf(t, "a", strings.Repeat("x", 5000))[:3000])
		os.Stdout.WriteString("working\n")
		s.Import(t.Context(), r, engine.ImportOptions{Reference: "half"})
		return
	}
	root := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrash$")
	cmd.Env = append(os.Environ(), "BERTH_TEST_CRASH="+root)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out.Read(make([]byte, 8))
	half := filepath.Join(root, "layers", tmpDir, "*", "1", diffDir, "a")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if m, _ := filepath.Glob(half); len(m) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it does not begin")
		}
	}
	s := openAt(t, root, Options{}) // another process does not disturb it
	if m, _ := filepath.Glob(half); len(m) == 0 {
		t.Error("what is being made was removed")
	}
	if freed, err := s.GC(); freed != 0 || err != nil {
		t.Errorf("%d, %v", freed, err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	s = openAt(t, root, Options{})
	clean(t, s)
	if l, err := s.List(t.Context(), engine.ImageListOptions{All: true}, nil); err != nil || len(l) != 0 || len(layerNames(t, s)) != 0 {
		t.Errorf("%v, %v", l, err)
	}
	imported(t, s, "whole", "a", "1")
}

// Several stores on one directory see each other's changes, and none is lost.
func TestConcurrentStores(t *testing.T) {
	root := t.TempDir()
	first := openAt(t, root, Options{NoSync: true})
	imported(t, first, "x", "a", "1")
	const stores, tags = 4, 10
	errs := make(chan error, stores)
	for n := range stores {
		s := openAt(t, root, Options{NoSync: true})
		go func() {
			var err error
			for i := range tags {
				err = errors.Join(err, s.Tag(context.Background(), "x", "t"+string(rune('a'+n))+":"+string(rune('a'+i))))
			}
			errs <- err
		}()
	}
	for range stores {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	img, err := first.Resolve("x")
	if err != nil || len(img.Names) != stores*tags+1 {
		t.Errorf("%d names, %v", len(img.Names), err)
	}
}

func TestLockIsGivenUp(t *testing.T) {
	s := open(t)
	unlock, err := s.flock(t.Context(), indexLock, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Tag(ctx, "x", "y"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestDamage(t *testing.T) {
	s := open(t)
	img := imported(t, s, "x", "a", "1")
	os.WriteFile(s.blobPath(img.ID), []byte(`{"os":"linux"}`), 0o600)
	if _, err := s.Resolve("x"); err == nil || !strings.Contains(err.Error(), "changed on disk") {
		t.Error(err)
	}
	again := imported(t, s, "y", "a", "1")
	dirs, _ := s.LayerDirs(again)
	os.WriteFile(filepath.Join(dirs[0], "a"), []byte("2"), 0o644)
	if err := s.Save(t.Context(), &bytes.Buffer{}, []string{"y"}, ""); err == nil {
		t.Error("a changed layer was saved")
	}
	os.RemoveAll(filepath.Dir(dirs[0]))
	if _, err := s.LayerDirs(again); err == nil {
		t.Error("a layer that is gone was found")
	}
	os.WriteFile(s.path("images/index.json"), []byte("{"), 0o600)
	if _, err := s.List(t.Context(), engine.ImageListOptions{}, nil); err == nil {
		t.Error("a broken index was read")
	}
}

// A full disk is an error, leaves nothing, and is over when there is room.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // the mount is this thread's, and ends with it
		if err := errors.Join(unix.Unshare(unix.CLONE_NEWNS), unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m")); err != nil {
			t.Error(err)
			return
		}
		defer unix.Unmount(dir, 0)
		s, err := Open(dir, Options{})
		if err != nil {
			t.Error(err)
			return
		}
		_, err = s.Import(t.Context(), bytes.NewReader(tarOf(t, "a", "1", "b", strings.Repeat("x", 2<<20))), engine.ImportOptions{Reference: "x"})
		if !errors.Is(err, unix.ENOSPC) {
			t.Errorf("error is %v", err)
		}
		clean(t, s)
		imported(t, s, "x", "a", "1")
	}()
	<-done
}
