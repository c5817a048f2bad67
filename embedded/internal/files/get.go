//go:build linux

package files

import (
	"archive/tar"
	"context"
	"io"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// GetArchive streams a tar of path, with path's base name as its root: "d/", "d/f" for /d,
// "/", "/etc/" for the root. What a path that ends with "/." gives is called ".". The caller closes it; ctx governs it until then.
// Nothing is transferred, so that opts.Compress changes nothing.
// What is mounted in a directory is there too, but for the kernel's own file systems.
func (v *View) GetArchive(ctx context.Context, name string, opts engine.ArchiveOptions) (io.ReadCloser, engine.PathStat, error) {
	const op = "get archive"
	if err := ctx.Err(); err != nil {
		return nil, engine.PathStat{}, err
	}
	root, err := v.root.hold()
	if err != nil {
		return nil, engine.PathStat{}, err
	}
	t, err := v.find(root.fd, name)
	if err != nil {
		root.release()
		return nil, engine.PathStat{}, fail(op, name, err)
	}
	s, err := t.stat(root.fd)
	if err != nil {
		unix.Close(t.fd)
		root.release()
		return nil, s, fail(op, name, err)
	}
	p := v.packer(ctx)
	return stream(ctx, p, func() error {
		defer root.release()
		defer unix.Close(t.fd)
		return p.target(t)
	}), s, nil
}

// Export streams the whole root file system as a tar, as Docker does: without what
// is mounted on it, and without an entry of the root itself. The caller closes it; ctx governs it until then.
func (v *View) Export(ctx context.Context) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	root, err := v.alone() // if it is not alone, mounts show as empty directories and files
	if err != nil {
		return nil, err
	}
	p := v.packer(ctx)
	p.oneMount = true
	return stream(ctx, p, func() error {
		defer root.release()
		n, err := openFile(root.fd, ".", "")
		if err != nil {
			return err
		}
		defer n.Close()
		p.mount = n.mount
		return p.dir(n)
	}), nil
}

// archive is the reading end of a tar that is being packed.
type archive struct {
	*io.PipeReader
	done <-chan struct{}
	stop func() bool
}

// stream packs in the background until the reader has all, is closed, or ctx ends.
func stream(ctx context.Context, p *packer, pack func() error) io.ReadCloser {
	r, w := io.Pipe()
	p.tw = tar.NewWriter(w)
	done := make(chan struct{})
	a := &archive{PipeReader: r, done: done}
	a.stop = context.AfterFunc(ctx, func() { w.CloseWithError(context.Cause(ctx)) })
	go func() {
		defer close(done)
		err := pack()
		if err == nil {
			err = p.tw.Close()
		}
		if cerr := ctx.Err(); err != nil && cerr != nil {
			err = cerr
		}
		w.CloseWithError(err)
		a.stop()
	}()
	return a
}

// Close ends the packing.
func (a *archive) Close() error {
	err := a.PipeReader.Close()
	a.stop()
	<-a.done
	return err
}

// rebase is the name of a file below the root of an archive, base being the root's.
func rebase(base, name string) string {
	if base == "/" {
		return "/" + strings.TrimPrefix(name, "/")
	}
	return base + "/" + name
}
