//go:build linux

package image

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
)

// compressed is a layer compressed into a temporary file, as the library takes it.
type compressed struct {
	dir, diffID string
	d           descriptor
	moved       func(int) // told of bytes that are sent; may be nil
}

// compress compresses a layer. The caller removes it.
func (p *pusher) compress(ctx context.Context, diffID string) (c *compressed, err error) {
	dir, err := p.b.subdir()
	if err != nil {
		return nil, err
	}
	c = &compressed{dir: dir, diffID: diffID}
	defer func() {
		if err != nil {
			c.remove()
		}
	}()
	f, err := os.Create(c.file())
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	count := &counter{}
	buf := bufio.NewWriterSize(io.MultiWriter(f, hash, count), 1<<17)
	gz := gzip.NewWriter(buf)
	err = p.s.layerTar(ctx, gz, diffID)
	if err := errors.Join(err, gz.Close(), buf.Flush(), f.Close()); err != nil {
		return nil, err
	}
	c.d = descriptor{MediaType: dockerLayer + ".gzip", Digest: sumOf(hash), Size: count.n}
	return c, nil
}

func (c *compressed) file() string { return filepath.Join(c.dir, "layer.gz") }
func (c *compressed) remove()      { os.RemoveAll(c.dir) }

// Digest implements v1.Layer, as the rest does.
func (c *compressed) Digest() (v1.Hash, error)             { return v1.NewHash(c.d.Digest) }
func (c *compressed) DiffID() (v1.Hash, error)             { return v1.NewHash(c.diffID) }
func (c *compressed) Size() (int64, error)                 { return c.d.Size, nil }
func (c *compressed) MediaType() (types.MediaType, error)  { return types.MediaType(c.d.MediaType), nil }
func (c *compressed) Uncompressed() (io.ReadCloser, error) { return nil, errors.ErrUnsupported }
func (c *compressed) Compressed() (io.ReadCloser, error) {
	f, err := os.Open(c.file())
	if err != nil {
		return nil, err
	}
	return &movedReader{f, c.moved}, nil
}

type movedReader struct {
	io.ReadCloser
	moved func(int)
}

func (r *movedReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if n > 0 && r.moved != nil {
		r.moved(n)
	}
	return n, err
}

// counter counts bytes.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}
