package requests

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// world is what a call is made in: a client whose requests are recorded, and one
// that prepares and tidies up unseen.
type world struct {
	t        *testing.T
	ctx      context.Context
	cli      *berth.Client // recorded
	other    *berth.Client
	rec      *recorder
	registry string // that the engine reaches; "" when there is none

	list        []string
	unsupported bool
}

// record makes the call whose requests count. That the engine cannot do it is a
// result too.
func (w *world) record(do func() error) {
	w.t.Helper()
	w.rec.begin()
	err := do()
	w.list = squeeze(w.rec.end())
	w.unsupported = errors.Is(err, berth.ErrUnsupported)
	if err != nil && !w.unsupported {
		w.t.Errorf("%v", err)
	}
}

// spec is a container that does nothing until it is ended, and ends at once.
func (w *world) spec(command ...string) berth.Spec {
	if len(command) == 0 {
		command = []string{"sleep", "3600"}
	}
	s := rig.Spec(command...)
	s.StopTimeout = new(time.Duration(0))
	return s
}

// created makes a container unseen; the handle is the recorded client's.
func (w *world) created(spec berth.Spec) *berth.Container {
	w.t.Helper()
	c, err := w.other.Containers.Create(w.ctx, spec)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { rig.Remove(w.t, w.other, c.ID()) })
	return w.handle(c)
}

// running is created and started.
func (w *world) running(spec berth.Spec) *berth.Container {
	w.t.Helper()
	c := w.created(spec)
	w.start(c)
	return c
}

// ended is a container that has run to its end.
func (w *world) ended() *berth.Container {
	w.t.Helper()
	c := w.running(w.spec("echo", "hello"))
	if _, err := w.unseen(c).Wait(w.ctx); err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) start(c *berth.Container) {
	w.t.Helper()
	if err := w.unseen(c).Start(w.ctx); err != nil {
		w.t.Fatal(err)
	}
}

// handle is the recorded client's handle of a container, with a snapshot.
func (w *world) handle(c *berth.Container) *berth.Container {
	w.t.Helper()
	h, err := w.cli.Containers.Get(w.ctx, c.ID())
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// unseen is the other client's handle of a container.
func (w *world) unseen(c *berth.Container) *berth.Container {
	w.t.Helper()
	h, err := w.other.Containers.Get(w.ctx, c.ID())
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// image makes an image unseen, of which there is no other; the handle is the
// recorded client's.
func (w *world) image() *berth.Image {
	w.t.Helper()
	ref := rig.Name() + ":1"
	c := w.unseen(w.created(w.spec()))
	if err := c.WriteFile(w.ctx, "/name", []byte(ref), 0o644); err != nil {
		w.t.Fatal(err)
	}
	repo, tag, _ := strings.Cut(ref, ":")
	img, err := c.Commit(w.ctx, berth.CommitOptions{Repository: repo, Tag: tag})
	if err != nil {
		w.t.Fatal(err)
	}
	w.removeImageLater(img.ID())
	h, err := w.cli.Images.Get(w.ctx, ref)
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

func (w *world) removeImageLater(id string) {
	w.t.Cleanup(func() {
		_, err := w.other.Images.Remove(context.WithoutCancel(w.ctx), id, berth.ImageRemoveOptions{Force: true})
		if err != nil && !errors.Is(err, berth.ErrNotFound) {
			w.t.Errorf("remove image: %v", err)
		}
	})
}

// archive is the docker-archive of an image that is not there any more.
func (w *world) archive() *bytes.Buffer {
	w.t.Helper()
	img := w.image()
	r, err := w.other.Images.Save(w.ctx, []string{img.Tags()[0]})
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.other.Images.Remove(w.ctx, img.Tags()[0], berth.ImageRemoveOptions{Force: true}); err != nil {
		w.t.Fatal(err)
	}
	return &b
}

// pushed is an image in the registry that the engine does not have. Without a
// registry the test is skipped: the page would lack a row.
func (w *world) pushed() string {
	w.t.Helper()
	img := w.image()
	ref := w.registry + "/" + img.Tags()[0]
	w.must(w.other.Images.Tag(w.ctx, img.ID(), ref))
	w.must(w.other.Images.Push(w.ctx, ref, berth.PushOptions{TLSVerify: w.plain()}))
	_, err := w.other.Images.Remove(w.ctx, img.ID(), berth.ImageRemoveOptions{Force: true})
	w.must(err)
	w.removeImageLater(ref)
	return ref
}

// plain is how a client says that the registry speaks plain HTTP, where it is
// the client that says it.
func (w *world) plain() *bool {
	if w.cli.Engine().Name == "docker" {
		return nil
	}
	return new(false)
}

func (w *world) network() *berth.Network {
	w.t.Helper()
	n, err := w.other.Networks.Create(w.ctx, berth.NetworkCreateOptions{Name: rig.Name()})
	w.must(err)
	w.t.Cleanup(func() { w.gone(w.other.Networks.Remove(context.WithoutCancel(w.ctx), n.ID())) })
	h, err := w.cli.Networks.Get(w.ctx, n.ID())
	w.must(err)
	return h
}

func (w *world) volume() *berth.Volume {
	w.t.Helper()
	name := rig.Name()
	_, err := w.other.Volumes.Create(w.ctx, berth.VolumeCreateOptions{Name: name})
	w.must(err)
	w.removeVolumeLater(name)
	h, err := w.cli.Volumes.Get(w.ctx, name)
	w.must(err)
	return h
}

func (w *world) removeVolumeLater(name string) {
	w.t.Cleanup(func() { w.gone(w.other.Volumes.Remove(context.WithoutCancel(w.ctx), name)) })
}

// secret makes a secret unseen; nil where there are none.
func (w *world) secret() *berth.Secret {
	w.t.Helper()
	if !w.cli.Supports(berth.FeatureSecrets) {
		return nil
	}
	s, err := w.other.Secrets.Create(w.ctx, rig.Name(), []byte("secret"))
	w.must(err)
	w.t.Cleanup(func() { w.gone(w.other.Secrets.Remove(context.WithoutCancel(w.ctx), s.ID())) })
	h, err := w.cli.Secrets.Get(w.ctx, s.ID())
	w.must(err)
	return h
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// await waits until something is so.
func (w *world) await(so func() bool) {
	w.t.Helper()
	for !so() {
		select {
		case <-w.ctx.Done():
			w.t.Fatal("it did not come true")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// gone reports that something could not be removed.
func (w *world) gone(err error) {
	w.t.Helper()
	if err != nil && !errors.Is(err, berth.ErrNotFound) {
		w.t.Error(err)
	}
}
