//go:build linux

package image

import (
	"context"
	"encoding/json"
	"io"

	"github.com/berthdev/berth/embedded/internal/layer"
)

// pack puts the layer of an uncompressed tar into the batch.
func (b *batch) pack(ctx context.Context, r io.Reader) (diffID string, err error) {
	u, err := b.unpack(ctx, r)
	if err != nil {
		return "", err
	}
	return u.DiffID, u.keep(nil)
}

// diff puts the layer of an overlay upper directory, whose owners are those that the maps of owners give, into the batch.
func (b *batch) diff(ctx context.Context, upper string, owners layer.Options) (diffID string, err error) {
	opts := b.s.opts.Layer
	opts.UIDMap, opts.GIDMap = owners.UIDMap, owners.GIDMap
	pr, pw := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		pw.CloseWithError(layer.Diff(ctx, pw, upper, opts)) // nil is the end of file
	}()
	diffID, err = b.pack(ctx, pr)
	pr.CloseWithError(err)
	<-done
	return diffID, err
}

// putConfig keeps an image's configuration and returns its ID.
func (s *Store) putConfig(cf *ConfigFile) (id string, err error) {
	data, err := json.Marshal(cf)
	if err != nil {
		return "", err
	}
	return s.putBlob(data)
}
