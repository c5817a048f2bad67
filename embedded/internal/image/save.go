//go:build linux

package image

import (
	"archive/tar"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// Save writes an archive of images that docker load, podman load and Load take.
// Layers are uncompressed, and configurations are as they are: the images have the
// same IDs there. An image asked for by a name has this name in the archive.
func (s *Store) Save(ctx context.Context, w io.Writer, refs []string, format string) error {
	format, err := archiveFormat(format)
	if err != nil {
		return err
	}
	if len(refs) == 0 {
		return &engine.InvalidError{Option: "images", Reason: "none to save"}
	}
	unlock, err := s.flock(ctx, gcLock, unix.LOCK_SH)
	if err != nil {
		return because(ctx, "save images", "", err)
	}
	defer unlock()
	sv := &saver{ctx: ctx, s: s, tw: tar.NewWriter(w), seen: map[string]bool{}}
	if err := sv.find(refs); err != nil {
		return err
	}
	if format == DockerArchive {
		err = sv.docker()
	} else {
		err = sv.oci()
	}
	if err == nil {
		err = sv.tw.Close()
	}
	return because(ctx, "save images", "", err)
}

// saver is one Save.
type saver struct {
	ctx  context.Context
	s    *Store
	tw   *tar.Writer
	list []*savedImage
	seen map[string]bool // entries that were written
}

type savedImage struct {
	*Image
	config []byte
	names  []string // full
}

func (v *saver) find(refs []string) error {
	for _, ref := range refs {
		img, err := v.s.Resolve(ref)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(v.list, func(have *savedImage) bool { return have.ID == img.ID })
		if i < 0 {
			config, err := v.s.blob(img.ID)
			if err != nil {
				return err
			}
			v.list = append(v.list, &savedImage{Image: img, config: config})
			i = len(v.list) - 1
		}
		if name, err := parseName("image", ref); err == nil && slices.Contains(img.Names, name.String()) {
			v.list[i].names = insert(v.list[i].names, name.String())
		}
	}
	return nil
}

// file writes a file, once.
func (v *saver) file(name string, data []byte) error {
	if v.seen[name] {
		return nil
	}
	v.seen[name] = true
	if err := v.tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data)), Mode: 0o444, ModTime: epoch}); err != nil {
		return err
	}
	_, err := v.tw.Write(data)
	return err
}

func (v *saver) json(name string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return v.file(name, data)
}

// layer writes a layer's tar, once.
func (v *saver) layer(name, diffID string) error {
	if v.seen[name] {
		return nil
	}
	v.seen[name] = true
	info, err := v.s.layer(diffID)
	if err != nil {
		return err
	}
	if err := v.tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: info.TarSize, Mode: 0o444, ModTime: epoch}); err != nil {
		return err
	}
	return v.s.layerTar(v.ctx, v.tw, diffID)
}

// docker writes docker save's form. What it contains comes first, so that it can be loaded while it is read.
func (v *saver) docker() error {
	manifest := []archiveImage{}
	repositories := map[string]map[string]string{}
	for _, img := range v.list {
		a := archiveImage{Config: hexOf(img.ID) + ".json", RepoTags: familiar(img.names), Layers: []string{}}
		for _, id := range img.DiffIDs {
			a.Layers = append(a.Layers, hexOf(id)+".tar")
		}
		manifest = append(manifest, a)
		for _, name := range a.RepoTags {
			repo, tag := repositoryOf(name), strings.TrimPrefix(name, repositoryOf(name)+":")
			if repositories[repo] == nil {
				repositories[repo] = map[string]string{}
			}
			if len(img.DiffIDs) > 0 {
				repositories[repo][tag] = hexOf(img.DiffIDs[len(img.DiffIDs)-1])
			}
		}
	}
	if err := v.json(dockerManifestFile, manifest); err != nil {
		return err
	}
	for _, img := range v.list {
		if err := v.file(hexOf(img.ID)+".json", img.config); err != nil {
			return err
		}
	}
	for _, img := range v.list {
		for _, id := range img.DiffIDs {
			if err := v.layer(hexOf(id)+".tar", id); err != nil {
				return err
			}
		}
	}
	return v.json(repositoriesFile, repositories)
}

// oci writes an OCI image layout.
func (v *saver) oci() error {
	if err := v.file(ociLayoutFile, []byte(`{"imageLayoutVersion":"1.0.0"}`)); err != nil {
		return err
	}
	index := manifest{SchemaVersion: 2, MediaType: ociIndex, Manifests: []descriptor{}}
	for _, img := range v.list {
		m := manifest{SchemaVersion: 2, MediaType: ociManifest, Layers: []descriptor{}}
		m.Config = descriptor{MediaType: ociConfig, Digest: img.ID, Size: int64(len(img.config))}
		for _, id := range img.DiffIDs {
			info, err := v.s.layer(id)
			if err != nil {
				return err
			}
			m.Layers = append(m.Layers, descriptor{MediaType: ociLayer, Digest: id, Size: info.TarSize})
		}
		data, err := json.Marshal(m)
		if err != nil {
			return err
		}
		d := descriptor{MediaType: ociManifest, Digest: digestOf(data), Size: int64(len(data))}
		d.Platform = &platformJSON{Architecture: img.Config.Architecture, OS: img.Config.OS, Variant: img.Config.Variant}
		if len(img.names) == 0 {
			index.Manifests = append(index.Manifests, d)
		}
		for _, name := range img.names { // one entry a name
			d.Annotations = map[string]string{refNameAnnotation: name, fullNameAnnotation: name}
			index.Manifests = append(index.Manifests, d)
		}
		if err := v.file(blobName(d.Digest), data); err != nil {
			return err
		}
		if err := v.file(blobName(img.ID), img.config); err != nil {
			return err
		}
	}
	if err := v.json(ociIndexFile, index); err != nil {
		return err
	}
	for _, img := range v.list {
		for _, id := range img.DiffIDs {
			if err := v.layer(blobName(id), id); err != nil {
				return fmt.Errorf("image %s: %w", img.ID, err)
			}
		}
	}
	return nil
}
