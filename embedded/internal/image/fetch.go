//go:build linux

package image

import (
	"bufio"
	"bytes"
	"compress/bzip2"

	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxResumes is how often a download goes on after a connection was lost without a byte having come in between.
const maxResumes = 4

// blobReader reads a blob from a registry. A connection that is lost is opened
// again from where it broke. At the end length and digest are those of the
// descriptor, else there is an error instead of the end.
type blobReader struct {
	ctx    context.Context
	r      *remoteRepo
	d      descriptor
	body   io.ReadCloser
	hash   hash.Hash
	n      int64
	failed int
	end    error     // reached
	moved  func(int) // told of bytes; may be nil
}

func (r *remoteRepo) blob(ctx context.Context, d descriptor, moved func(int)) *blobReader {
	return &blobReader{ctx: ctx, r: r, d: d, hash: sha256.New(), moved: moved}
}

func (b *blobReader) Close() error {
	if b.body != nil {
		return b.body.Close()
	}
	return nil
}

func (b *blobReader) Read(p []byte) (n int, err error) {
	if b.end == nil {
		n, b.end = b.read(p)
	}
	return n, b.end
}

func (b *blobReader) read(p []byte) (int, error) {
	for {
		if b.body == nil {
			if err := b.open(); err != nil {
				if err := b.again(err); err != nil {
					return 0, err
				}
				continue
			}
		}
		n, err := b.body.Read(p)
		if n > 0 {
			b.n += int64(n)
			b.failed = 0
			if b.n > b.d.Size {
				return 0, fmt.Errorf("blob %s is longer than %d bytes", b.d.Digest, b.d.Size)
			}
			b.hash.Write(p[:n])
			if b.moved != nil {
				b.moved(n)
			}
			return n, nil // an error comes again
		}
		if err == nil {
			continue
		}
		b.body.Close()
		if err == io.EOF && b.n == b.d.Size {
			if got := sumOf(b.hash); got != b.d.Digest {
				return 0, fmt.Errorf("blob %s has the digest %s", b.d.Digest, got)
			}
			return 0, io.EOF
		}
		b.body = nil
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err := b.again(err); err != nil {
			return 0, err
		}
	}
}

// again decides whether a failed request is made again, and waits.
func (b *blobReader) again(err error) error {
	if b.ctx.Err() != nil {
		return context.Cause(b.ctx)
	}
	if t, ok := errors.AsType[*transport.Error](err); ok && !t.Temporary() {
		return err
	}
	if b.failed++; b.failed > maxResumes {
		return fmt.Errorf("fetch blob %s: after %d of %d bytes: %w", b.d.Digest, b.n, b.d.Size, err)
	}
	t := time.NewTimer(time.Duration(b.failed*b.failed) * 50 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-b.ctx.Done():
		return context.Cause(b.ctx)
	}
}

func (b *blobReader) open() error {
	header := http.Header{}
	if b.n > 0 {
		header.Set("Range", "bytes="+strconv.FormatInt(b.n, 10)+"-")
	}
	want := []int{http.StatusOK}
	if b.n > 0 {
		want = append(want, http.StatusPartialContent)
	}
	resp, err := b.r.get(b.ctx, http.MethodGet, b.r.url("blobs", b.d.Digest), header, want...)
	if err != nil {
		return err
	}
	if b.n > 0 && resp.StatusCode == http.StatusOK { // it does not know ranges
		if _, err := io.CopyN(io.Discard, resp.Body, b.n); err != nil {
			resp.Body.Close()
			return err
		}
	}
	b.body = resp.Body
	return nil
}

// uncompress gives the plain bytes of what may be compressed with gzip, zstd or
// bzip2. compression is "" for what is not.
func uncompress(r io.Reader) (plain io.ReadCloser, compression string, err error) {
	br := bufio.NewReaderSize(r, 1<<17)
	magic, err := br.Peek(4)
	if err != nil && err != io.EOF {
		return nil, "", err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		gz, err := gzip.NewReader(br)
		if err != nil {
			return nil, "", fmt.Errorf("gzip: %w", err)
		}
		return gz, "gzip", nil
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}), len(magic) == 4 && magic[0]&0xf0 == 0x50 && bytes.Equal(magic[1:], []byte{0x2a, 0x4d, 0x18}):
		z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<27))
		if err != nil {
			return nil, "", fmt.Errorf("zstd: %w", err)
		}
		return z.IOReadCloser(), "zstd", nil
	case bytes.HasPrefix(magic, []byte("BZh")):
		return io.NopCloser(bzip2.NewReader(br)), "bzip2", nil
	}
	return io.NopCloser(br), "", nil
}
