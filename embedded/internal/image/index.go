//go:build linux

package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// index is images/index.json.
type index struct {
	Images map[string]*record `json:"images"` // by ID
}

// record is what the index has of an image.
type record struct {
	Names     []string  `json:"names,omitempty"`   // full names with tags, sorted
	Digests   []string  `json:"digests,omitempty"` // full names with digests, sorted
	Manifests []string  `json:"manifests,omitempty"`
	Layers    []string  `json:"layers"` // diffIDs, lowest first
	Size      int64     `json:"size"`   // of the layers in bytes
	Parent    string    `json:"parent,omitempty"`
	OCI       bool      `json:"oci,omitempty"` // made here, with the OCI's media types
	Tagged    time.Time `json:"tagged,omitzero"`
}

func (r *record) clone() *record {
	c := *r
	c.Names, c.Digests = slices.Clone(r.Names), slices.Clone(r.Digests)
	c.Manifests, c.Layers = slices.Clone(r.Manifests), slices.Clone(r.Layers)
	return &c
}

// byName finds the image that has a name.
func (x *index) byName(name string) (id string, rec *record) {
	for id, rec := range x.Images {
		if slices.Contains(rec.Names, name) {
			return id, rec
		}
	}
	return "", nil
}

// children counts the images that were committed of id.
func (x *index) children(id string) int {
	n := 0
	for _, rec := range x.Images {
		if rec.Parent == id {
			n++
		}
	}
	return n
}

// name gives an image a name, which another one loses.
func (x *index) name(id, name string) {
	for _, rec := range x.Images {
		rec.Names = slices.DeleteFunc(rec.Names, func(n string) bool { return n == name })
	}
	rec := x.Images[id]
	rec.Names = insert(rec.Names, name)
	rec.Tagged = time.Now().UTC()
}

// insert adds to a sorted list what it does not have.
func insert(list []string, s string) []string {
	at, found := slices.BinarySearch(list, s)
	if found {
		return list
	}
	return slices.Insert(list, at, s)
}

// read gives the index as it is. The caller does not change it.
func (s *Store) read() (*index, error) { return s.readIndex(false) }

// readIndex is read; fresh does not trust what was read before.
func (s *Store) readIndex(fresh bool) (*index, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := os.Open(s.path("images", "index.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return &index{Images: map[string]*record{}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read image index: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read image index: %w", err)
	}
	// Every change is another file; the time tells those apart that got the same inode.
	if !fresh && s.cached != nil && os.SameFile(s.info, info) && s.info.ModTime().Equal(info.ModTime()) && s.info.Size() == info.Size() {
		return s.cached, nil
	}
	var x index
	if err := json.NewDecoder(f).Decode(&x); err != nil {
		return nil, fmt.Errorf("read image index: %w", err)
	}
	if x.Images == nil {
		x.Images = map[string]*record{}
	}
	s.cached, s.info = &x, info
	return &x, nil
}

// update changes the index. change gets a copy of its own; when it fails nothing is changed.
func (s *Store) update(ctx context.Context, change func(*index) error) error {
	unlock, err := s.flock(ctx, indexLock, unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := s.readIndex(true)
	if err != nil {
		return err
	}
	x := &index{Images: maps.Clone(old.Images)}
	for id, rec := range x.Images {
		x.Images[id] = rec.clone()
	}
	if err := change(x); err != nil {
		return err
	}
	data, err := json.Marshal(x)
	if err != nil {
		return err
	}
	return s.write(s.path("images", "index.json"), data)
}

// write replaces a file: a crash leaves the old one or the new one.
func (s *Store) write(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil && !s.opts.NoSync {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}
