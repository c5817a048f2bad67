//go:build linux

package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
)

// Load takes the images of a docker-archive or an oci-archive, which may be
// compressed, and returns their names, or IDs where they have no name. It reads the
// archive once: what looks like a layer is unpacked as it comes, and what the archive
// says of it is verified at the end. With an error no image was loaded.
func (s *Store) Load(ctx context.Context, r io.Reader) (refs []string, err error) {
	b, err := s.begin(ctx)
	if err != nil {
		return nil, because(ctx, "load images", "", err)
	}
	defer func() { err = errors.Join(err, b.close()) }()
	l := &loader{s: s, b: b, texts: map[string][]byte{}, layers: map[string]archiveLayer{}, aliases: map[string]string{}}
	if err := l.read(ctx, r); err != nil {
		return nil, invalidArchive(ctx, err)
	}
	list, err := l.images()
	if err != nil {
		return nil, invalidArchive(ctx, err)
	}
	if err := b.commit(ctx); err != nil {
		return nil, because(ctx, "load images", "", err)
	}
	var all []added
	for i := range list {
		for _, data := range list[i].blobs {
			if _, err := s.putBlob(data); err != nil {
				return nil, because(ctx, "load images", "", err)
			}
		}
		all = append(all, list[i].added)
		if len(list[i].names) == 0 {
			refs = append(refs, list[i].id)
		}
		refs = append(refs, familiar(list[i].names)...)
	}
	if err := s.add(ctx, all...); err != nil {
		return nil, because(ctx, "load images", "", err)
	}
	return refs, nil
}

func invalidArchive(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return because(ctx, "load images", "", err)
	}
	if errors.Is(err, engine.ErrUnsupported) {
		return err
	}
	return fail("load images", "", engine.ErrInvalid, "%v", err)
}

// loadedImage is an image of an archive, with the blobs that it needs.
type loadedImage struct {
	added
	blobs [][]byte
}

// archiveLayer is a layer of an archive.
type archiveLayer struct {
	diffID string
	digest string // of the entry as it is, compressed or not
}

// loader is one Load.
type loader struct {
	s       *Store
	b       *batch
	texts   map[string][]byte // JSON files by name
	size    int               // of all texts
	layers  map[string]archiveLayer
	aliases map[string]string // links: what for what
}

// maxTexts bounds what of an archive is kept in memory, in bytes.
const maxTexts = 64 << 20

func (l *loader) read(ctx context.Context, r io.Reader) error {
	plain, _, err := uncompress(&contextReader{ctx, r})
	if err != nil {
		return err
	}
	defer plain.Close()
	tr := tar.NewReader(plain)
	for {
		hdr, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read archive: %w", err)
		}
		name := path.Clean(strings.TrimLeft(hdr.Name, "/"))
		switch hdr.Typeflag {
		case tar.TypeReg:
			if err := l.file(ctx, name, hdr.Size, tr); err != nil {
				return fmt.Errorf("archive's %s: %w", name, err)
			}
		case tar.TypeSymlink:
			l.aliases[name] = path.Join(path.Dir(name), hdr.Linkname)
		case tar.TypeLink:
			l.aliases[name] = path.Clean(strings.TrimLeft(hdr.Linkname, "/"))
		}
	}
}

// file takes what an entry is by its first bytes: a layer, JSON, or nothing of interest.
func (l *loader) file(ctx context.Context, name string, size int64, r io.Reader) error {
	hash := sha256.New()
	br := bufio.NewReaderSize(io.TeeReader(r, hash), 1<<17)
	first, err := br.Peek(512)
	if err != nil && err != io.EOF {
		return err
	}
	if !looksLikeLayer(first) {
		if len(first) == 0 || first[0] != '{' && first[0] != '[' {
			return nil
		}
		if size > maxConfig || l.size+int(size) > maxTexts {
			return fmt.Errorf("it is too long: %d bytes", size)
		}
		data, err := io.ReadAll(br)
		l.texts[name], l.size = data, l.size+len(data)
		return err
	}
	// Of a layer that is there only the digest is of interest.
	if named := digestIn(name); named != "" && l.b.has(named) {
		if _, err := io.Copy(io.Discard, br); err != nil {
			return err
		}
		if got := sumOf(hash); got != named {
			return fmt.Errorf("it has the digest %s", got)
		}
		l.layers[name] = archiveLayer{named, named}
		return nil
	}
	plain, _, err := uncompress(br)
	if err != nil {
		return err
	}
	defer plain.Close()
	u, err := l.b.unpack(ctx, plain)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, br); err != nil {
		return err
	}
	l.layers[name] = archiveLayer{u.DiffID, sumOf(hash)}
	return u.keep(nil)
}

// looksLikeLayer judges a file's first block: a tar's, a compressed one's, or an empty tar's.
func looksLikeLayer(first []byte) bool {
	for _, magic := range []string{"\x1f\x8b", "\x28\xb5\x2f\xfd", "BZh"} {
		if bytes.HasPrefix(first, []byte(magic)) {
			return true
		}
	}
	if len(first) < 512 {
		return false
	}
	if bytes.Count(first, []byte{0}) == len(first) {
		return true
	}
	_, err := tar.NewReader(bytes.NewReader(first)).Next()
	return err == nil || errors.Is(err, io.ErrUnexpectedEOF)
}

// target follows the archive's links.
func (l *loader) target(name string) string {
	name = path.Clean(name)
	for range 8 {
		to, ok := l.aliases[name]
		if !ok {
			break
		}
		name = to
	}
	return name
}

func (l *loader) images() ([]loadedImage, error) {
	if data, ok := l.texts[dockerManifestFile]; ok {
		return l.docker(data)
	}
	if data, ok := l.texts[ociIndexFile]; ok {
		return l.oci(data)
	}
	return nil, errors.New("it is neither a docker-archive nor an oci-archive: it has neither manifest.json nor index.json")
}

// docker reads docker save's form.
func (l *loader) docker(data []byte) ([]loadedImage, error) {
	var entries []archiveImage
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, fmt.Errorf("manifest.json: %w", err)
	}
	var list []loadedImage
	for _, e := range entries {
		config, ok := l.texts[l.target(e.Config)]
		if !ok {
			return nil, fmt.Errorf("the archive lacks the image configuration %s", e.Config)
		}
		img := loadedImage{blobs: [][]byte{config}}
		img.id = digestOf(config)
		if named := digestIn(e.Config); named != "" && named != img.id {
			return nil, fmt.Errorf("image configuration %s has the digest %s", e.Config, img.id)
		}
		var err error
		if img.config, err = parseConfig(config); err != nil {
			return nil, err
		}
		if len(e.Layers) != len(img.config.RootFS.DiffIDs) {
			return nil, fmt.Errorf("image %s has %d layers, its configuration %d", img.id, len(e.Layers), len(img.config.RootFS.DiffIDs))
		}
		for i, name := range e.Layers {
			if err := l.check(l.target(name), "", img.config.RootFS.DiffIDs[i]); err != nil {
				return nil, err
			}
		}
		for _, tag := range e.RepoTags {
			full, err := parseTag("RepoTags", tag)
			if err != nil {
				return nil, err
			}
			img.names = append(img.names, full)
		}
		list = append(list, img)
	}
	return list, nil
}

// check verifies that the archive's layer by that name is the one that the image means.
func (l *loader) check(name, digest, diffID string) error {
	have, ok := l.layers[name]
	switch {
	case !ok && l.b.has(diffID):
		return nil // left out, as it is in the store
	case !ok:
		return fmt.Errorf("the archive lacks the layer %s", name)
	case digest != "" && have.digest != digest:
		return fmt.Errorf("layer %s has the digest %s, want %s", name, have.digest, digest)
	case have.diffID != diffID:
		return fmt.Errorf("layer %s: its content has the digest %s, the image's configuration says %s", name, have.diffID, diffID)
	}
	return nil
}

// oci reads an OCI image layout.
func (l *loader) oci(data []byte) ([]loadedImage, error) {
	index, err := parseManifest(data)
	if err != nil {
		return nil, err
	}
	if !index.isIndex() {
		return nil, errors.New("index.json is not an index")
	}
	want, err := wanted("")
	if err != nil {
		return nil, err
	}
	var list []loadedImage
	for _, d := range index.Manifests {
		img, err := l.ociImage(d, want)
		if err != nil {
			return nil, err
		}
		if name := annotatedName(d.Annotations); name != "" {
			img.names = []string{name}
		}
		// An image has one entry for each of its names.
		if i := slices.IndexFunc(list, func(have loadedImage) bool { return have.id == img.id }); i >= 0 {
			list[i].names = append(list[i].names, img.names...)
			continue
		}
		list = append(list, *img)
	}
	return list, nil
}

func (l *loader) ociImage(d descriptor, want engine.Platform) (*loadedImage, error) {
	img := &loadedImage{}
	img.OCI = true
	var m *manifest
	for range 3 { // an index may be in it
		data, err := l.text(d)
		if err != nil {
			return nil, err
		}
		img.blobs = append(img.blobs, data)
		img.Manifests = append(img.Manifests, d.Digest)
		if m, err = parseManifest(data); err != nil {
			return nil, err
		}
		if !m.isIndex() {
			break
		}
		best := m.choose(want)
		if best == nil {
			return nil, fmt.Errorf("no image for platform %s: there are %s", want, m.platforms())
		}
		d = *best
	}
	if m.isIndex() {
		return nil, errors.New("too many indexes in each other")
	}
	config, err := l.text(m.Config)
	if err != nil {
		return nil, err
	}
	img.blobs = append(img.blobs, config)
	img.id = m.Config.Digest
	if img.config, err = parseConfig(config); err != nil {
		return nil, err
	}
	if len(m.Layers) != len(img.config.RootFS.DiffIDs) {
		return nil, fmt.Errorf("image %s has %d layers, its configuration %d", img.id, len(m.Layers), len(img.config.RootFS.DiffIDs))
	}
	for i, d := range m.Layers {
		if err := l.check(l.target(blobName(d.Digest)), d.Digest, img.config.RootFS.DiffIDs[i]); err != nil {
			return nil, err
		}
	}
	return img, nil
}

// text gives a blob that is JSON, verified.
func (l *loader) text(d descriptor) ([]byte, error) {
	data, ok := l.texts[l.target(blobName(d.Digest))]
	if !ok {
		return nil, fmt.Errorf("the archive lacks the blob %s", d.Digest)
	}
	if got := digestOf(data); got != d.Digest {
		return nil, fmt.Errorf("blob %s has the digest %s", d.Digest, got)
	}
	return data, nil
}

// annotatedName is the full name that an index gives an image. A tag alone is none.
func annotatedName(annotations map[string]string) string {
	for _, key := range []string{fullNameAnnotation, refNameAnnotation} {
		if name := annotations[key]; strings.ContainsAny(name, "/:") {
			if full, err := parseTag(key, name); err == nil {
				return full
			}
		}
	}
	return ""
}

// contextReader gives up reading when its context is done.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r *contextReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}
