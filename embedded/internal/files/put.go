//go:build linux

package files

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/node"
	"github.com/berthdev/berth/engine"
)

// PutOptions say how PutArchive unpacks.
type PutOptions struct {
	engine.PutArchiveOptions
	// UID and GID own everything with CopyUIDGID: the container's user, in its own numbers.
	UID, GID int
}

// PutArchive unpacks a tar, plain or compressed (gzip, bzip2, zstd), into the directory path; a missing
// one is ErrNotFound, a file there ErrInvalid, a read-only root or mount ErrConflict, as on Docker. Links in the
// container are followed inside its root. What is there already is replaced, but
// directories by directories, which are merged. After an error, what was unpacked by then stays.
func (v *View) PutArchive(ctx context.Context, name string, r io.Reader, opts PutOptions) error {
	const op = "put archive"
	if err := ctx.Err(); err != nil {
		return err
	}
	if name == "" {
		return &engine.InvalidError{Option: "path", Reason: "empty"}
	}
	root, err := v.root.hold()
	if err != nil {
		return err
	}
	defer root.release()
	name = absolute(name)
	fd, err := openIn(root.fd, name, unix.O_PATH)
	if err != nil {
		return fail(op, name, err)
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	unix.Close(fd)
	if err == nil && node.Kind(&st) != unix.S_IFDIR {
		err = unix.ENOTDIR
	}
	if err != nil {
		return fail(op, name, err)
	}
	// A Read of r cannot be ended: it is done elsewhere.
	pr, pw := io.Pipe()
	defer pr.CloseWithError(io.ErrClosedPipe)
	stop := context.AfterFunc(ctx, func() { pw.CloseWithError(context.Cause(ctx)) })
	defer stop()
	go func() {
		_, err := io.Copy(pw, r)
		if err != nil {
			err = sourceError{err}
		}
		pw.CloseWithError(err)
	}()
	u := &unpacker{ctx: ctx, root: root.fd, dir: path.Clean(name), opts: opts, ids: v.opts, at: -1, buf: make([]byte, 64<<10)}
	defer u.close()
	if err := v.opts.asRoot(func() error { return u.unpack(pr) }); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if source, ok := errors.AsType[sourceError](err); ok {
			return fmt.Errorf("%s %s: read tar: %w", op, name, source.error)
		}
		return fail(op, name, err)
	}
	return ctx.Err()
}

// sourceError is an error of the reader that the tar comes from.
type sourceError struct{ error }

// decompress gives the plain bytes of r, which may be compressed: its first bytes tell.
func decompress(r io.Reader) (io.Reader, func(), error) {
	br := bufio.NewReaderSize(r, 64<<10)
	head, err := br.Peek(6)
	if err != nil && err != io.EOF {
		return nil, nil, err
	}
	none := func() {}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(br)
		return z, none, err
	case bytes.HasPrefix(head, []byte("BZh")):
		return bzip2.NewReader(br), none, nil
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	case bytes.HasPrefix(head, []byte{0xfd, '7', 'z', 'X', 'Z', 0}):
		return nil, nil, &engine.UnsupportedError{Option: "a tar compressed with xz", Engine: engineName}
	}
	return br, none, nil
}

// unpack unpacks all of a tar, and reads what comes after its end.
func (u *unpacker) unpack(r io.Reader) error {
	plain, done, err := decompress(r)
	if err != nil {
		return err
	}
	defer done()
	u.tr = tar.NewReader(plain)
	for {
		hdr, err := u.tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("read tar: %w", err)
		}
		if err := u.ctx.Err(); err != nil {
			return err
		}
		if err := u.entry(hdr); err != nil {
			return fmt.Errorf("unpack %q: %w", hdr.Name, err)
		}
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{plain}, u.buf); err != nil {
		return fmt.Errorf("read tar: %w", err)
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}, u.buf); err != nil {
		return fmt.Errorf("read tar: %w", err)
	}
	return u.finish()
}
