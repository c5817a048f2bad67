package requests

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"testing/fstest"

	"github.com/berthdev/berth"
)

// files are what is copied into a container.
var files = fstest.MapFS{"a/b": {Data: []byte("x"), Mode: 0o644}}

// tarball is the same as a tar.
func tarball() *bytes.Buffer {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	t.WriteHeader(&tar.Header{Name: "b", Typeflag: tar.TypeReg, Mode: 0o644, Size: 1})
	t.Write([]byte("x"))
	t.Close()
	return &b
}

// linked has a symbolic link to a file.
func linked(w *world) *berth.Container {
	c := running(w)
	w.must(w.unseen(c).Command("ln", "-s", "/etc/passwd", "/link").Run(w.ctx))
	return c
}

var fileCalls = []call{
	{"Container.GetArchive", "", on(created, func(w *world, c *berth.Container) error {
		r, _, err := c.GetArchive(w.ctx, "/etc/passwd")
		return drain(r, err)
	})},
	{"Container.PutArchive", "", on(created, func(w *world, c *berth.Container) error { return c.PutArchive(w.ctx, "/etc", tarball()) })},
	{"Container.StatPath", "", on(created, func(w *world, c *berth.Container) error { return err2(c.StatPath(w.ctx, "/etc/passwd")) })},
	{"Container.Export", "", on(created, func(w *world, c *berth.Container) error { return drain(c.Export(w.ctx)) })},
	{"Container.ReadFile", "", on(created, func(w *world, c *berth.Container) error { return err2(c.ReadFile(w.ctx, "/etc/passwd")) })},
	{"Container.ReadFile", "a symbolic link", on(linked, func(w *world, c *berth.Container) error { return err2(c.ReadFile(w.ctx, "/link")) })},
	{"Container.WriteFile", "", on(created, func(w *world, c *berth.Container) error { return c.WriteFile(w.ctx, "/etc/new", nil, 0o644) })},
	{"Container.WriteFile", "with Parents", on(created, func(w *world, c *berth.Container) error {
		return c.WriteFile(w.ctx, "/new/file", nil, 0o644, berth.WriteFileOptions{Parents: true})
	})},
	{"Container.CopyTo", "", on(created, func(w *world, c *berth.Container) error { return c.CopyTo(w.ctx, "/srv", files) })},
	{"Container.CopyTo", "into a directory that is there", on(created, func(w *world, c *berth.Container) error { return c.CopyTo(w.ctx, "/etc", files) })},
	{"Container.CopyFrom", "a directory", on(created, func(w *world, c *berth.Container) error {
		return c.CopyFrom(w.ctx, "/etc", w.t.TempDir(), berth.CopyFromOptions{})
	})},
	{"Container.FS", "fs.ReadFile", on(created, func(w *world, c *berth.Container) error {
		return err2(fs.ReadFile(c.FS(w.ctx), "etc/passwd"))
	})},
	{"Container.FS", "fs.Stat", on(created, func(w *world, c *berth.Container) error {
		return err2(fs.Stat(c.FS(w.ctx), "etc/passwd"))
	})},
	{"Container.FS", "fs.WalkDir", on(created, func(w *world, c *berth.Container) error {
		return fs.WalkDir(c.FS(w.ctx), "etc", func(_ string, _ fs.DirEntry, err error) error { return err })
	})},
}
