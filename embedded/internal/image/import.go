//go:build linux

package image

import (
	"context"
	"errors"
	"io"
	"runtime"
	"time"

	"github.com/berthdev/berth/engine"
)

// Import makes an image with one layer of the tar, which may be compressed, of a
// root file system.
func (s *Store) Import(ctx context.Context, r io.Reader, opts engine.ImportOptions) (*Image, error) {
	plain, _, err := uncompress(&contextReader{ctx, r})
	if err != nil {
		return nil, because(ctx, "import image", "", err)
	}
	defer plain.Close()
	var names []string
	if opts.Reference != "" {
		names = []string{opts.Reference}
	}
	comment := opts.Message
	if comment == "" {
		comment = "Imported from -" // Docker's words
	}
	p, err := wanted(opts.Platform)
	if err != nil {
		return nil, err
	}
	return s.make(ctx, "import image", p, CommitOptions{Tar: plain, Changes: opts.Changes, Message: comment, Names: names})
}

// Commit makes an image of what a container has changed.
func (s *Store) Commit(ctx context.Context, opts CommitOptions) (*Image, error) {
	p := engine.Platform{OS: "linux", Arch: runtime.GOARCH}
	if opts.Base != nil {
		p = engine.Platform{OS: opts.Base.Config.OS, Arch: opts.Base.Config.Architecture, Variant: opts.Base.Config.Variant}
	}
	return s.make(ctx, "commit container", p, opts)
}

func (s *Store) make(ctx context.Context, op string, p engine.Platform, opts CommitOptions) (img *Image, err error) {
	cf, names, err := newConfig(p, &opts)
	if err != nil {
		return nil, err
	}
	b, err := s.begin(ctx)
	if err != nil {
		return nil, because(ctx, op, "", err)
	}
	defer func() { err = errors.Join(err, b.close()) }()
	id, err := s.makeIn(ctx, b, cf, names, &opts)
	if err != nil {
		return nil, because(ctx, op, "", err)
	}
	return s.Resolve(id)
}

// newConfig is the configuration of the image to be made, without the new layer.
func newConfig(p engine.Platform, opts *CommitOptions) (*ConfigFile, []string, error) {
	cf := &ConfigFile{OS: p.OS, Architecture: p.Arch, Variant: p.Variant, RootFS: RootFS{Type: "layers", DiffIDs: []string{}}}
	if base := opts.Base; base != nil {
		*cf = *base.Config // what is changed below is replaced, not changed in place
		cf.RootFS.DiffIDs = append([]string{}, base.DiffIDs...)
		cf.History = append([]History{}, base.Config.History...)
		cf.Comment = ""
	}
	if opts.Config != nil {
		cf.Config.set(opts.Config, false)
	}
	if opts.Override != nil {
		cf.Config.set(opts.Override, true)
	}
	if err := cf.Config.change(opts.Changes); err != nil {
		return nil, nil, err
	}
	var names []string
	for _, name := range opts.Names {
		full, err := parseTag("reference", name)
		if err != nil {
			return nil, nil, err
		}
		names = append(names, full)
	}
	return cf, names, nil
}

func (s *Store) makeIn(ctx context.Context, b *batch, cf *ConfigFile, names []string, opts *CommitOptions) (id string, err error) {
	step := History{Created: new(time.Now().UTC()), CreatedBy: opts.CreatedBy, Author: opts.Author, Comment: opts.Message}
	switch {
	case opts.Tar != nil:
		id, err = b.pack(ctx, opts.Tar)
	case opts.Upper != "":
		id, err = b.diff(ctx, opts.Upper, opts.Owners)
	default:
		step.EmptyLayer = true
	}
	if err != nil {
		return "", err
	}
	if id != "" {
		cf.RootFS.DiffIDs = append(cf.RootFS.DiffIDs, id)
	}
	cf.Created, cf.Author = step.Created, opts.Author
	if !opts.OCI {
		cf.Comment = opts.Message
	}
	cf.History = append(cf.History, step)
	if err := b.commit(ctx); err != nil {
		return "", err
	}
	a := added{config: cf, names: names}
	if a.id, err = s.putConfig(cf); err != nil {
		return "", err
	}
	a.OCI = opts.OCI
	if opts.Base != nil {
		a.Parent = opts.Base.ID
	}
	return a.id, s.add(ctx, a)
}
