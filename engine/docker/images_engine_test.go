package docker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/fakeregistry"
)

// imported is an image that is removed with the test: its name and ID.
func imported(t *testing.T, e *Engine, tag string) (name, id string) {
	t.Helper()
	name = unique("img") + ":" + tag
	id, err := e.ImageImport(t.Context(), bytes.NewReader(tarball(t, "file", []byte(name), 0)), engine.ImportOptions{
		Reference: name, Message: "made", Changes: []string{"CMD [\"x\"]", "ENV A=b", "LABEL l=1", "EXPOSE 80"}, Platform: "linux/amd64",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e.ImageRemove(context.WithoutCancel(t.Context()), name, engine.ImageRemoveOptions{Force: true})
	})
	return name, id
}

func TestImages(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		name, id := imported(t, e, "one")
		img, err := e.ImageInspect(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if img.ID != id || img.OS != "linux" || img.Architecture != "amd64" || img.Comment != "made" || !slices.Equal(img.RepoTags, []string{name}) ||
			!slices.Equal(img.Config.Cmd, []string{"x"}) || !slices.Contains(img.Config.Env, "A=b") || img.Config.Labels["l"] != "1" || len(img.Layers) != 1 || img.Created.IsZero() || !slices.Equal(img.Config.ExposedPorts, []string{"80/tcp"}) {
			t.Errorf("%+v", img)
		}
		if ok, err := e.ImageExists(ctx, id); !ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
		if ok, err := e.ImageExists(ctx, "no.such/image"); ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
		if h, err := e.ImageHistory(ctx, name); err != nil || len(h) != 1 || h[0].ID != id || h[0].Comment != "made" || h[0].Created.IsZero() {
			t.Errorf("%+v, %v", h, err)
		}
		second := strings.TrimSuffix(name, ":one") + ":two"
		if err := e.ImageTag(ctx, name, second); err != nil {
			t.Fatal(err)
		}
		list, err := e.ImageList(ctx, engine.ImageListOptions{Name: strings.TrimSuffix(name, ":one")})
		if err != nil || len(list) != 1 || len(list[0].RepoTags) != 2 || list[0].Dangling || list[0].Size == 0 {
			t.Errorf("%+v, %v", list, err)
		}
		r, err := e.ImageSave(ctx, []string{name, second}, engine.SaveOptions{})
		if err != nil {
			t.Fatal(err)
		}
		archive, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		report, err := e.ImageRemove(ctx, second, engine.ImageRemoveOptions{})
		if err != nil || !slices.Contains(report.Untagged, second) || len(report.Deleted) != 0 {
			t.Errorf("%+v, %v", report, err)
		}
		if report, err = e.ImageRemove(ctx, name, engine.ImageRemoveOptions{}); err != nil || !slices.Contains(report.Deleted, id) {
			t.Errorf("%+v, %v", report, err)
		}
		names, err := e.ImageLoad(ctx, bytes.NewReader(archive))
		slices.Sort(names)
		if err != nil || !slices.Equal(names, []string{name, second}) {
			t.Errorf("loaded %v, %v", names, err)
		}
		if loaded, err := e.ImageInspect(ctx, second); err != nil || loaded.ID != id {
			t.Errorf("%+v, %v", loaded, err)
		}
		if _, err := e.ImageRemove(ctx, second, engine.ImageRemoveOptions{}); err != nil {
			t.Error(err)
		}
		if _, err := e.ImageLoad(ctx, strings.NewReader("no tar at all")); err == nil {
			t.Error("loaded nonsense")
		}
		if _, err := e.ImageSave(ctx, []string{"no.such/image"}, engine.SaveOptions{}); !errors.Is(err, engine.ErrImageNotFound) {
			t.Errorf("save: %v", err)
		}
		if _, err := e.ImageInspect(ctx, "no.such/image"); !errors.Is(err, engine.ErrImageNotFound) {
			t.Errorf("inspect: %v", err)
		}
		if _, err := e.ImageHistory(ctx, "no.such/image"); !errors.Is(err, engine.ErrImageNotFound) {
			t.Errorf("history: %v", err)
		}
		if err := e.ImageTag(ctx, "no.such/image", "x:y"); !errors.Is(err, engine.ErrImageNotFound) {
			t.Errorf("tag: %v", err)
		}
		if _, err := e.ImageRemove(ctx, "no.such/image", engine.ImageRemoveOptions{}); !errors.Is(err, engine.ErrImageNotFound) {
			t.Errorf("remove: %v", err)
		}
		if _, err := e.ImageImport(ctx, strings.NewReader("no tar at all"), engine.ImportOptions{}); err == nil {
			t.Error("imported nonsense")
		}
		c := started(t, e, engine.Spec{})
		if _, err := e.ImageRemove(ctx, "busybox", engine.ImageRemoveOptions{}); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("image in use: %v", err)
		}
		_ = c
	})
}

func TestCommit(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		c := started(t, e, engine.Spec{Command: []string{"sh", "-c", "echo x > /file; sleep 1000"}, Labels: map[string]string{"kept": "1"}})
		execOut(t, e, c, "sh", "-c", "while ! test -s /file; do sleep 0.05; done")
		repo := unique("commit")
		id, err := e.ContainerCommit(ctx, c, engine.CommitOptions{
			Repository: repo, Tag: "t", Message: "msg", Author: "me", Changes: []string{"ENV A=b", "USER 2"}, Conf: &engine.ImageConfig{Cmd: []string{"cat", "/file"}}, Pause: new(false),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer e.ImageRemove(ctx, repo+":t", engine.ImageRemoveOptions{Force: true})
		img, err := e.ImageInspect(ctx, repo+":t")
		if err != nil || img.ID != id || img.Comment != "msg" || img.Author != "me" || img.Config.User != "2" || !slices.Contains(img.Config.Env, "A=b") || img.Config.Labels["kept"] != "1" {
			t.Errorf("%+v, %v", img, err)
		}
		if got := run(t, e, engine.Spec{Image: id}, ""); got != "x" {
			t.Errorf("got %q", got)
		}
		if _, err := e.ContainerCommit(ctx, "no-such-container", engine.CommitOptions{}); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		if _, err := e.ContainerCommit(ctx, c, engine.CommitOptions{Format: "oci"}); !errors.Is(err, engine.ErrUnsupported) {
			t.Errorf("got %v", err)
		}
	})
}

func TestPullPush(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		_, engineName, _ := strings.Cut(t.Name(), "/")
		reg := fakeregistry.Start(t, engineName, "secret")
		auth := &engine.RegistryAuth{Username: "user", Password: "secret", ServerAddress: reg.Host}
		base := reg.Host + "/a/b"
		ref := base + ":1"
		if err := e.ImageTag(ctx, "busybox", ref); err != nil {
			t.Fatal(err)
		}
		remove := func(ref string) {
			if _, err := e.ImageRemove(context.WithoutCancel(ctx), ref, engine.ImageRemoveOptions{}); err != nil && !isNotFound(err) {
				t.Error(err)
			}
		}
		t.Cleanup(func() { remove(ref) })
		if err := e.ImagePush(ctx, ref, engine.PushOptions{}); !errors.Is(err, engine.ErrUnauthorized) {
			t.Errorf("push without credentials: %v", err)
		}
		var last engine.PullProgress
		if err := e.ImagePush(ctx, ref, engine.PushOptions{Auth: auth, Progress: func(p engine.PullProgress) { last = p }}); err != nil {
			t.Fatal(err)
		}
		if last.Layers != 1 || last.Done != 1 || last.Percent() != 100 {
			t.Errorf("progress %+v", last)
		}
		busybox, err := e.ImageInspect(ctx, "busybox")
		if err != nil {
			t.Fatal(err)
		}
		id, err := e.ImagePull(ctx, ref, engine.PullOptions{Auth: auth})
		if err != nil || id != busybox.ID {
			t.Errorf("pull of what is there: %s, %v", id, err)
		}
		// An image that is not there, with progress.
		name := unique("img") + ":x"
		data := bytes.NewReader(tarball(t, "f", bytes.Repeat([]byte{1}, 3_000_000), 0))
		fresh, err := e.ImageImport(ctx, data, engine.ImportOptions{Reference: name})
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range []string{":2", ":3"} {
			if err := e.ImageTag(ctx, name, base+tag); err != nil {
				t.Fatal(err)
			}
			if err := e.ImagePush(ctx, base+tag, engine.PushOptions{Auth: auth}); err != nil {
				t.Fatal(err)
			}
			remove(base + tag)
		}
		if _, err := e.ImageRemove(ctx, name, engine.ImageRemoveOptions{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			remove(base + ":2")
			remove(base + ":3")
		})
		if _, err := e.ImagePull(ctx, base+":2", engine.PullOptions{}); !errors.Is(err, engine.ErrUnauthorized) {
			t.Errorf("pull without credentials: %v", err)
		}
		if _, err := e.ImagePull(ctx, base+":2", engine.PullOptions{Policy: engine.PullNever}); !errors.Is(err, engine.ErrImageNotFound) {
			t.Errorf("never: %v", err)
		}
		last = engine.PullProgress{}
		var before int64
		id, err = e.ImagePull(ctx, base+":2", engine.PullOptions{Auth: auth, Policy: engine.PullMissing, Progress: func(p engine.PullProgress) {
			if p.Current < before {
				t.Errorf("progress went back: %+v", p)
			}
			before, last = p.Current, p
		}})
		if err != nil || id != fresh {
			t.Errorf("pull: %s, %v", id, err)
		}
		if last.Layers != 1 || last.Done != 1 || last.Current != last.Total {
			t.Errorf("progress %+v", last)
		}
		if id, err := e.ImagePull(ctx, base, engine.PullOptions{Auth: auth, AllTags: true}); err != nil || id == "" {
			t.Errorf("all tags: %s, %v", id, err)
		}
		if ok, err := e.ImageExists(ctx, base+":3"); !ok || err != nil {
			t.Errorf("all tags: %v, %v", ok, err)
		}
		img, err := e.ImageInspect(ctx, base+":2")
		if err != nil || len(img.RepoDigests) == 0 {
			t.Fatalf("%+v, %v", img, err)
		}
		if id, err := e.ImagePull(ctx, img.RepoDigests[0], engine.PullOptions{Auth: auth}); err != nil || id != fresh {
			t.Errorf("by digest: %s, %v", id, err)
		}
		if _, err := e.ImagePull(ctx, base+":missing", engine.PullOptions{Auth: auth}); !errors.Is(err, engine.ErrImageNotFound) {
			t.Errorf("missing tag: %v", err)
		}
		if id, err := e.ImagePull(ctx, base+":2", engine.PullOptions{Policy: engine.PullMissing}); err != nil || id != fresh {
			t.Errorf("missing, there: %s, %v", id, err)
		}
		if id, err := e.ImagePull(ctx, fresh, engine.PullOptions{Policy: engine.PullNever}); err != nil || id != fresh {
			t.Errorf("never, by ID: %s, %v", id, err)
		}
		// A registry that is not there.
		host, _, _ := strings.Cut(reg.Host, ":")
		gone := strings.Replace(base, reg.Host, host+":1", 1)
		if err := e.ImageTag(ctx, "busybox", gone+":1"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { remove(gone + ":1") })
		if id, err := e.ImagePull(ctx, gone+":1", engine.PullOptions{Policy: engine.PullNewer}); err != nil || id != busybox.ID {
			t.Errorf("newer, no registry: %s, %v", id, err)
		}
		if _, err := e.ImagePull(ctx, gone+":1", engine.PullOptions{}); err == nil {
			t.Error("pulled from nowhere")
		}
		for _, opts := range []engine.PullOptions{{TLSVerify: new(false)}, {Policy: "often"}, {AllTags: true}} {
			if _, err := e.ImagePull(ctx, ref, opts); !errors.Is(err, engine.ErrInvalid) && !errors.Is(err, engine.ErrUnsupported) {
				t.Errorf("%+v: %v", opts, err)
			}
		}
		if _, err := e.ImagePull(ctx, fresh, engine.PullOptions{}); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("pull by ID: %v", err)
		}
	})
}
