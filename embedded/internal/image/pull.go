//go:build linux

package image

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/registryauth"
)

// fetchers is how many layers are fetched at a time.
const fetchers = 3

// Pull fetches an image from its registry and gives it its name. Layers that are
// in the store are not fetched; a layer is verified by the digest of the manifest and
// by its diffID before it is part of the store, and with an error nothing is kept.
// What the registry does not have is an engine.ErrImageNotFound, a refusal an
// engine.ErrUnauthorized.
func (s *Store) Pull(ctx context.Context, ref string, opts PullOptions) (*Image, error) {
	name, err := parseName("image", ref)
	if err != nil {
		return nil, err
	}
	want, err := wanted(opts.Platform)
	if err != nil {
		return nil, err
	}
	r, err := dial(ctx, name, opts.Auth, opts.Insecure, transport.PullScope, nil)
	if err != nil {
		return nil, registryError(ctx, "pull image", ref, err)
	}
	defer r.close()
	names := []registryauth.Reference{name}
	if opts.AllTags {
		tags, err := r.tags(ctx)
		if err != nil {
			return nil, registryError(ctx, "pull image", ref, err)
		}
		if len(tags) == 0 {
			return nil, fail("pull image", ref, engine.ErrImageNotFound, "the repository has no tags")
		}
		names = names[:0]
		for _, tag := range tags {
			one := name
			one.Tag, one.Digest = tag, ""
			names = append(names, one)
		}
	}
	p := &puller{s: s, r: r, want: want, strict: opts.Platform != "", progress: &progress{report: opts.Progress}}
	id := ""
	for _, one := range names {
		if id, err = p.pull(ctx, one); err != nil {
			return nil, registryError(ctx, "pull image", ref, err)
		}
	}
	return s.Resolve(id)
}

// puller pulls images of one repository.
type puller struct {
	s        *Store
	r        *remoteRepo
	want     engine.Platform
	strict   bool // the platform was asked for
	progress *progress
}

func (p *puller) pull(ctx context.Context, ref registryauth.Reference) (id string, err error) {
	at := cmp.Or(ref.Digest, ref.Tag)
	p.progress.say("Pulling", at)
	data, top, err := p.r.manifest(ctx, at)
	if err != nil {
		return "", err
	}
	manifests := [][]byte{data}
	m, err := parseManifest(data)
	if err != nil {
		return "", err
	}
	if m.isIndex() {
		d := m.choose(p.want)
		if d == nil {
			return "", fail("pull image", ref.String(), engine.ErrImageNotFound, "no image for platform %s: there are %s", p.want, m.platforms())
		}
		if data, _, err = p.r.manifest(ctx, d.Digest); err != nil {
			return "", err
		}
		manifests = append(manifests, data)
		if m, err = parseManifest(data); err != nil {
			return "", err
		}
		if m.isIndex() {
			return "", errors.New("an index in an index is not supported")
		}
	}
	config, err := io.ReadAll(p.r.blob(ctx, m.Config, nil))
	if err != nil {
		return "", err
	}
	cf, err := parseConfig(config)
	if err != nil {
		return "", err
	}
	if len(cf.RootFS.DiffIDs) != len(m.Layers) {
		return "", fmt.Errorf("the manifest has %d layers, the configuration %d", len(m.Layers), len(cf.RootFS.DiffIDs))
	}
	have := engine.Platform{OS: cf.OS, Arch: cf.Architecture, Variant: cf.Variant}
	if cf.Variant == "" {
		have.Variant = p.want.Variant // not told
	}
	if have.OS != "linux" || p.strict && fit(have, p.want) == 0 {
		return "", fail("pull image", ref.String(), engine.ErrImageNotFound, "the image is for platform %s, not %s", have, p.want)
	}
	b, err := p.s.begin(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := p.layers(ctx, b, m.Layers, cf.RootFS.DiffIDs); err != nil {
		return "", err
	}
	if err := b.commit(ctx); err != nil {
		return "", err
	}
	a := added{id: m.Config.Digest, config: cf}
	if _, err := p.s.putBlob(config); err != nil {
		return "", err
	}
	for _, data := range manifests {
		digest, err := p.s.putBlob(data)
		if err != nil {
			return "", err
		}
		a.Manifests = append(a.Manifests, digest)
	}
	repo := ref
	repo.Tag, repo.Digest = "", top
	a.Digests = []string{repo.String()}
	if ref.Digest == "" {
		a.names = []string{ref.String()}
	}
	if err := p.s.add(ctx, a); err != nil {
		return "", err
	}
	p.progress.say("Pulled", at)
	return a.id, nil
}

// layers fetches the layers that are not there, some at a time. The first error ends all.
func (p *puller) layers(ctx context.Context, b *batch, list []descriptor, diffIDs []string) error {
	type job struct {
		d      descriptor
		diffID string
	}
	var jobs []job
	seen := map[string]bool{}
	for i, d := range list {
		switch {
		case seen[diffIDs[i]]:
			continue
		case b.has(diffIDs[i]):
			p.progress.add("Already exists", d.Digest, 0)
			p.progress.done("Already exists", d.Digest)
		default:
			p.progress.add("Waiting", d.Digest, d.Size)
			jobs = append(jobs, job{d, diffIDs[i]})
		}
		seen[diffIDs[i]] = true
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	queue := make(chan job)
	for range min(fetchers, len(jobs)) {
		wg.Go(func() {
			for j := range queue {
				if err := p.layer(ctx, b, j.d, j.diffID); err != nil {
					cancel(err)
				}
			}
		})
	}
feed:
	for _, j := range jobs {
		select {
		case queue <- j:
		case <-ctx.Done():
			break feed
		}
	}
	close(queue)
	wg.Wait()
	return context.Cause(ctx)
}

// layer fetches, verifies and unpacks one layer.
func (p *puller) layer(ctx context.Context, b *batch, d descriptor, diffID string) error {
	blob := p.r.blob(ctx, d, p.progress.moved("Downloading", d.Digest))
	defer blob.Close()
	plain, compression, err := uncompress(blob)
	if err != nil {
		return fmt.Errorf("layer %s: %w", d.Digest, err)
	}
	defer plain.Close()
	u, err := b.unpack(ctx, plain)
	if err != nil {
		return fmt.Errorf("layer %s: %w", d.Digest, err)
	}
	if _, err := io.Copy(io.Discard, blob); err != nil { // to its end, where the digest is verified
		return fmt.Errorf("layer %s: %w", d.Digest, err)
	}
	if u.DiffID != diffID {
		return fmt.Errorf("layer %s: its content has the digest %s, the image's configuration says %s", d.Digest, u.DiffID, diffID)
	}
	seen := &layerBlob{Digest: d.Digest, Size: d.Size, MediaType: d.MediaType, Repositories: []string{p.r.repo.Name()}}
	if compression == "" || compression == "bzip2" {
		seen = nil // not to be pushed as it is
	}
	if err := u.keep(seen); err != nil {
		return err
	}
	p.progress.done("Pull complete", d.Digest)
	return nil
}

// maxTags bounds what of a registry's lists of tags is kept in memory.
const maxTags = 100_000

// maxPages bounds how many lists a registry may answer with.
const maxPages = 10_000

// tags lists the tags of a repository.
func (r *remoteRepo) tags(ctx context.Context) ([]string, error) {
	var all []string
	next := r.url("tags", "list")
	for pages := 0; next != ""; pages++ {
		if pages == maxPages {
			return nil, errors.New("list tags: the lists do not end")
		}
		resp, err := r.get(ctx, http.MethodGet, next, nil, http.StatusOK)
		if err != nil {
			return nil, err
		}
		var page struct{ Tags []string }
		err = json.NewDecoder(io.LimitReader(resp.Body, maxConfig)).Decode(&page)
		resp.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("list tags: %w", err)
		}
		if all = append(all, page.Tags...); len(all) > maxTags {
			return nil, fmt.Errorf("the repository has more than %d tags", maxTags)
		}
		if next, err = nextPage(resp); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// nextPage is the address in a Link header, which must be of the same host; "" for none.
func nextPage(resp *http.Response) (string, error) {
	link := resp.Header.Get("Link")
	if link == "" {
		return "", nil
	}
	start, end := -1, -1
	for i, c := range link {
		if c == '<' && start < 0 {
			start = i + 1
		} else if c == '>' && end < 0 {
			end = i
		}
	}
	if start < 0 || end < start {
		return "", fmt.Errorf("list tags: link %q", link)
	}
	u, err := url.Parse(link[start:end])
	if err != nil {
		return "", fmt.Errorf("list tags: %w", err)
	}
	u = resp.Request.URL.ResolveReference(u)
	if u.Host != resp.Request.URL.Host {
		return "", fmt.Errorf("list tags: link to another host %q", u.Host)
	}
	return u.String(), nil
}
