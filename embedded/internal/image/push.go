//go:build linux

package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/berthdev/berth/engine"
)

// Push sends an image to the registry that its name says. Layers that the registry
// has are not sent; when it has all of them as they were pulled, the image keeps its
// manifest and digest. The others are compressed with gzip.
func (s *Store) Push(ctx context.Context, ref string, opts PushOptions) error {
	target, err := parseName("image", ref)
	if err != nil {
		return err
	}
	if target.Digest != "" {
		return &engine.InvalidError{Option: "image", Value: ref, Reason: "a digest cannot be pushed to"}
	}
	b, err := s.begin(ctx)
	if err != nil {
		return because(ctx, "push image", ref, err)
	}
	err = s.push(ctx, b, target.String(), ref, opts)
	return errors.Join(err, b.close())
}

func (s *Store) push(ctx context.Context, b *batch, full, ref string, opts PushOptions) error {
	x, err := s.read()
	if err != nil {
		return err
	}
	names := []string{full}
	if opts.AllTags {
		names = names[:0]
		for _, rec := range x.Images {
			for _, n := range rec.Names {
				if repositoryOf(n) == repositoryOf(full) {
					names = insert(names, n)
				}
			}
		}
		if len(names) == 0 {
			return notFound("push image", ref)
		}
	}
	var images []*Image
	from := map[string]bool{} // repositories that layers may be in
	for _, n := range names {
		id, _ := x.byName(n)
		if id == "" {
			return notFound("push image", ref)
		}
		img, err := s.image(x, id)
		if err != nil {
			return err
		}
		images = append(images, img)
		for _, l := range img.DiffIDs {
			info, err := s.layer(l)
			if err != nil {
				return err
			}
			for _, blob := range info.Blobs {
				for _, repo := range blob.Repositories {
					from[repo] = true
				}
			}
		}
	}
	target, err := parseName("image", full)
	if err != nil {
		return err
	}
	r, err := dial(ctx, target, opts.Auth, opts.Insecure, transport.PushScope, from)
	if err != nil {
		return registryError(ctx, "push image", ref, err)
	}
	defer r.close()
	p := &pusher{s: s, r: r, b: b, progress: &progress{report: opts.Progress}}
	for i, img := range images {
		if err := p.push(ctx, img, names[i]); err != nil {
			return registryError(ctx, "push image", ref, err)
		}
	}
	return nil
}

// pusher pushes images to one repository.
type pusher struct {
	s        *Store
	r        *remoteRepo
	b        *batch // keeps the store as it is, and holds compressed layers meanwhile
	progress *progress
}

func (p *pusher) push(ctx context.Context, img *Image, full string) error {
	for _, id := range img.DiffIDs {
		p.progress.add("Preparing", id, 0)
	}
	var layers []descriptor
	for _, id := range img.DiffIDs {
		d, err := p.layer(ctx, id)
		if err != nil {
			return err
		}
		layers = append(layers, d)
	}
	config, err := p.s.blob(img.ID)
	if err != nil {
		return err
	}
	data, m, err := p.manifest(img, layers, config)
	if err != nil {
		return err
	}
	opts := []remote.Option{remote.WithContext(ctx), remote.WithTransport(p.r.client.Transport)}
	if err := remote.WriteLayer(p.r.repo, static.NewLayer(config, types.MediaType(m.Config.MediaType)), opts...); err != nil {
		return err
	}
	tag := strings.TrimPrefix(full, repositoryOf(full)+":")
	if err := remote.Put(p.r.repo.Tag(tag), rawManifest{data, types.MediaType(m.MediaType)}, opts...); err != nil {
		return err
	}
	digest, err := p.s.putBlob(data)
	if err != nil {
		return err
	}
	a := added{id: img.ID, config: img.Config}
	a.Manifests, a.Digests = []string{digest}, []string{repositoryOf(full) + "@" + digest}
	p.progress.say("Pushed", full)
	return p.s.add(ctx, a)
}

// rawManifest is a manifest as the library puts it.
type rawManifest struct {
	data      []byte
	mediaType types.MediaType
}

func (m rawManifest) RawManifest() ([]byte, error)        { return m.data, nil }
func (m rawManifest) MediaType() (types.MediaType, error) { return m.mediaType, nil }

// manifest is the one that the image was pulled or pushed with, if its layers are
// these, else a new one.
func (p *pusher) manifest(img *Image, layers []descriptor, config []byte) ([]byte, *manifest, error) {
	x, err := p.s.read()
	if err != nil {
		return nil, nil, err
	}
	oci := false
	if rec := x.Images[img.ID]; rec != nil {
		oci = rec.OCI
		for _, digest := range rec.Manifests {
			data, err := p.s.blob(digest)
			if err != nil {
				return nil, nil, err
			}
			m, err := parseManifest(data)
			if err != nil || m.isIndex() || m.Config.Digest != img.ID {
				continue
			}
			oci = m.Config.MediaType == ociConfig
			if m.MediaType != "" && slices.EqualFunc(m.Layers, layers, func(a, b descriptor) bool { return a.Digest == b.Digest }) {
				return data, m, nil
			}
		}
	}
	// Docker's manifests know no zstd.
	oci = oci || slices.ContainsFunc(layers, func(d descriptor) bool { return strings.HasSuffix(d.MediaType, "zstd") })
	m := &manifest{SchemaVersion: 2, MediaType: dockerManifest, Layers: []descriptor{}}
	m.Config = descriptor{MediaType: dockerConfig, Digest: img.ID, Size: int64(len(config))}
	if oci {
		m.MediaType, m.Config.MediaType = ociManifest, ociConfig
	}
	for _, d := range layers {
		switch {
		case strings.HasSuffix(d.MediaType, "zstd"):
			d.MediaType = ociLayer + "+zstd"
		case oci:
			d.MediaType = ociLayer + "+gzip"
		default:
			d.MediaType = dockerLayer + ".gzip"
		}
		m.Layers = append(m.Layers, d)
	}
	data, err := json.Marshal(m)
	return data, m, err
}

// layer sees to it that the registry has a layer, in a form that it has or a new one.
func (p *pusher) layer(ctx context.Context, diffID string) (descriptor, error) {
	info, err := p.s.layer(diffID)
	if err != nil {
		return descriptor{}, err
	}
	for _, blob := range info.Blobs {
		d := descriptor{MediaType: blob.MediaType, Size: blob.Size, Digest: blob.Digest}
		there, err := p.has(ctx, d)
		if err == nil && !there {
			there, err = p.mount(ctx, d, blob.Repositories)
		}
		if err != nil {
			return descriptor{}, err
		}
		if there {
			p.progress.done("Layer already exists", diffID)
			return d, nil
		}
	}
	c, err := p.compress(ctx, diffID)
	if err != nil {
		return descriptor{}, err
	}
	defer c.remove()
	p.progress.change("Pushing", diffID, func(n *engine.PullProgress) { n.Total += c.d.Size })
	if there, err := p.has(ctx, c.d); err != nil {
		return descriptor{}, err
	} else if !there {
		c.moved = p.progress.moved("Pushing", diffID)
		if err := remote.WriteLayer(p.r.repo, c, remote.WithContext(ctx), remote.WithTransport(p.r.client.Transport)); err != nil {
			return descriptor{}, fmt.Errorf("layer %s: %w", diffID, err)
		}
	}
	p.progress.done("Pushed", diffID)
	return c.d, p.s.addBlob(ctx, diffID, layerBlob{Digest: c.d.Digest, Size: c.d.Size, MediaType: c.d.MediaType, Repositories: []string{p.r.repo.Name()}})
}

// has tells whether the repository has a blob.
func (p *pusher) has(ctx context.Context, d descriptor) (bool, error) {
	resp, err := p.r.get(ctx, http.MethodHead, p.r.url("blobs", d.Digest), nil, http.StatusOK, http.StatusNotFound)
	if err != nil {
		return false, err
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK, nil
}

// mount asks the registry to take a blob over from another of its repositories.
func (p *pusher) mount(ctx context.Context, d descriptor, repositories []string) (bool, error) {
	for _, from := range repositories {
		repo, err := name.NewRepository(from)
		if err != nil || repo.RegistryStr() != p.r.repo.RegistryStr() || repo.RepositoryStr() == p.r.repo.RepositoryStr() {
			continue
		}
		query := url.Values{"mount": {d.Digest}, "from": {repo.RepositoryStr()}}
		resp, err := p.r.get(ctx, http.MethodPost, p.r.url("blobs", "uploads/")+"?"+query.Encode(), nil, http.StatusCreated, http.StatusAccepted)
		if err != nil {
			return false, err
		}
		io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // to use the connection again
		resp.Body.Close()
		if resp.StatusCode == http.StatusCreated {
			return true, nil
		}
		// An upload was begun instead. The registry forgets it.
	}
	return false, nil
}
