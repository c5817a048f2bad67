package requests

import (
	"bytes"
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/testmod/rig"
)

var imageCalls = []call{
	{"Images.Get", "", func(w *world) { w.record(func() error { return err2(w.cli.Images.Get(w.ctx, rig.Image)) }) }},
	{"Images.Inspect", "", func(w *world) { w.record(func() error { return err2(w.cli.Images.Inspect(w.ctx, rig.Image)) }) }},
	{"Images.Exists", "", func(w *world) { w.record(func() error { return err2(w.cli.Images.Exists(w.ctx, rig.Image)) }) }},
	{"Images.List", "", func(w *world) { w.record(func() error { return err2(w.cli.Images.List(w.ctx)) }) }},
	{"Images.History", "", func(w *world) { w.record(func() error { return err2(w.cli.Images.History(w.ctx, rig.Image)) }) }},
	{"Images.Tag", "", func(w *world) {
		img := w.image()
		w.record(func() error { return w.cli.Images.Tag(w.ctx, img.ID(), img.Tags()[0]+"2") })
	}},
	{"Images.Remove", "", func(w *world) {
		img := w.image()
		w.record(func() error { return err2(w.cli.Images.Remove(w.ctx, img.Tags()[0])) })
	}},
	{"Images.Prune", "", func(w *world) {
		w.record(func() error {
			return err2(w.cli.Images.Prune(w.ctx, berth.Filters{"label": {"dev.berth.requests=none"}}))
		})
	}},
	{"Images.Pull", "", func(w *world) {
		ref := w.pushed()
		w.record(func() error { return err2(w.cli.Images.Pull(w.ctx, ref, berth.PullOptions{TLSVerify: w.plain()})) })
	}},
	{"Images.Pull", "with PullMissing, and it is there", func(w *world) {
		w.record(func() error {
			return err2(w.cli.Images.Pull(w.ctx, rig.Image, berth.PullOptions{Policy: berth.PullMissing}))
		})
	}},
	{"Images.Pulling", "", func(w *world) {
		ref := w.pushed()
		w.record(func() error {
			for _, err := range w.cli.Images.Pulling(w.ctx, ref, berth.PullOptions{TLSVerify: w.plain()}) {
				if err != nil {
					return err
				}
			}
			return nil
		})
	}},
	{"Images.Push", "", func(w *world) {
		img := w.image()
		ref := w.registry + "/" + img.Tags()[0]
		w.must(w.other.Images.Tag(w.ctx, img.ID(), ref))
		w.record(func() error { return w.cli.Images.Push(w.ctx, ref, berth.PushOptions{TLSVerify: w.plain()}) })
	}},
	{"Images.Load", "", func(w *world) {
		tar := w.archive()
		w.record(func() error {
			list, err := w.cli.Images.Load(w.ctx, tar)
			for _, img := range list {
				w.removeImageLater(img.ID())
			}
			return err
		})
	}},
	{"Images.Save", "", func(w *world) { w.record(func() error { return drain(w.cli.Images.Save(w.ctx, []string{rig.Image})) }) }},
	{"Images.Import", "", func(w *world) {
		ref := rig.Name() + ":1"
		w.removeImageLater(ref)
		w.record(func() error {
			return err2(w.cli.Images.Import(w.ctx, bytes.NewReader(tarball().Bytes()), berth.ImportOptions{Reference: ref}))
		})
	}},
	{"Image.Reload", "", func(w *world) { img := w.image(); w.record(func() error { return img.Reload(w.ctx) }) }},
	{"Image.History", "", func(w *world) { img := w.image(); w.record(func() error { return err2(img.History(w.ctx)) }) }},
	{"Image.Tag", "", func(w *world) { img := w.image(); w.record(func() error { return img.Tag(w.ctx, img.Tags()[0]+"2") }) }},
	{"Image.Save", "", func(w *world) { img := w.image(); w.record(func() error { return drain(img.Save(w.ctx)) }) }},
	{"Image.Remove", "", func(w *world) { img := w.image(); w.record(func() error { return err2(img.Remove(w.ctx)) }) }},
}

var otherCalls = []call{
	{"Volumes.Create", "", func(w *world) {
		name := rig.Name()
		w.removeVolumeLater(name)
		w.record(func() error { return err2(w.cli.Volumes.Create(w.ctx, berth.VolumeCreateOptions{Name: name})) })
	}},
	{"Volumes.Get", "", func(w *world) {
		v := w.volume()
		w.record(func() error { return err2(w.cli.Volumes.Get(w.ctx, v.Name())) })
	}},
	{"Volumes.List", "", func(w *world) { w.record(func() error { return err2(w.cli.Volumes.List(w.ctx)) }) }},
	{"Volumes.Remove", "", func(w *world) {
		v := w.volume()
		w.record(func() error { return w.cli.Volumes.Remove(w.ctx, v.Name()) })
	}},
	{"Volumes.Prune", "", func(w *world) {
		w.record(func() error {
			return err2(w.cli.Volumes.Prune(w.ctx, berth.Filters{"label": {"dev.berth.requests=none"}}))
		})
	}},
	{"Volume.Reload", "", func(w *world) { v := w.volume(); w.record(func() error { return v.Reload(w.ctx) }) }},
	{"Volume.Remove", "", func(w *world) { v := w.volume(); w.record(func() error { return v.Remove(w.ctx) }) }},
	{"Networks.Create", "", func(w *world) {
		name := rig.Name()
		w.t.Cleanup(func() { w.gone(w.other.Networks.Remove(context.WithoutCancel(w.ctx), name)) })
		w.record(func() error { return err2(w.cli.Networks.Create(w.ctx, berth.NetworkCreateOptions{Name: name})) })
	}},
	{"Networks.Get", "", func(w *world) {
		n := w.network()
		w.record(func() error { return err2(w.cli.Networks.Get(w.ctx, n.ID())) })
	}},
	{"Networks.List", "", func(w *world) { w.record(func() error { return err2(w.cli.Networks.List(w.ctx)) }) }},
	{"Networks.Connect", "", func(w *world) {
		n, c := w.network(), w.bridged()
		w.record(func() error { return w.cli.Networks.Connect(w.ctx, n.ID(), c.ID()) })
	}},
	{"Networks.Disconnect", "", func(w *world) {
		n, c := w.network(), w.bridged()
		w.must(w.other.Networks.Connect(w.ctx, n.ID(), c.ID()))
		w.record(func() error { return w.cli.Networks.Disconnect(w.ctx, n.ID(), c.ID()) })
	}},
	{"Networks.Remove", "", func(w *world) {
		n := w.network()
		w.record(func() error { return w.cli.Networks.Remove(w.ctx, n.ID()) })
	}},
	{"Networks.Prune", "", func(w *world) {
		w.record(func() error {
			return err2(w.cli.Networks.Prune(w.ctx, berth.Filters{"label": {"dev.berth.requests=none"}}))
		})
	}},
	{"Network.Reload", "", func(w *world) { n := w.network(); w.record(func() error { return n.Reload(w.ctx) }) }},
	{"Network.Connect", "", func(w *world) {
		n, c := w.network(), w.bridged()
		w.record(func() error { return n.Connect(w.ctx, c.ID()) })
	}},
	{"Network.Disconnect", "", func(w *world) {
		n, c := w.network(), w.bridged()
		w.must(w.other.Networks.Connect(w.ctx, n.ID(), c.ID()))
		w.record(func() error { return n.Disconnect(w.ctx, c.ID()) })
	}},
	{"Network.Remove", "", func(w *world) { n := w.network(); w.record(func() error { return n.Remove(w.ctx) }) }},
	{"Secrets.Create", "", func(w *world) {
		w.record(func() error {
			s, err := w.cli.Secrets.Create(w.ctx, rig.Name(), []byte("x"))
			if err == nil {
				w.t.Cleanup(func() { w.gone(w.other.Secrets.Remove(context.WithoutCancel(w.ctx), s.ID())) })
			}
			return err
		})
	}},
	{"Secrets.Get", "", secret(func(w *world, s *berth.Secret) error { return err2(w.cli.Secrets.Get(w.ctx, s.ID())) })},
	{"Secrets.List", "", func(w *world) { w.record(func() error { return err2(w.cli.Secrets.List(w.ctx)) }) }},
	{"Secrets.Remove", "", secret(func(w *world, s *berth.Secret) error { return w.cli.Secrets.Remove(w.ctx, s.ID()) })},
	{"Secret.Remove", "", secret(func(w *world, s *berth.Secret) error { return s.Remove(w.ctx) })},
}

// bridged is a container in the default network.
func (w *world) bridged() *berth.Container {
	spec := w.spec()
	spec.NetworkMode = ""
	if w.cli.Engine().Name == "podman" {
		spec.NetworkMode = "bridge"
	}
	return w.created(spec)
}

// secret is a call on a secret, where there are secrets.
func secret(do func(*world, *berth.Secret) error) func(*world) {
	return func(w *world) {
		s := w.secret()
		w.record(func() error {
			if s == nil {
				return err2(w.cli.Secrets.Get(w.ctx, "none"))
			}
			return do(w, s)
		})
	}
}
