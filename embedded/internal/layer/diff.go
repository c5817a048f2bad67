//go:build linux

package layer

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/berthdev/berth/embedded/internal/node"
)

// Diff writes the tar of an overlay upper directory as an OCI layer: overlay's
// whiteouts become the OCI's. Entries are sorted, times are whole seconds, and
// sockets are left out, as they are in every engine's layers. A file that is
// written to meanwhile has the length it had at first.
func Diff(ctx context.Context, w io.Writer, upper string, opts Options) error {
	root, err := node.OpenDir(upper)
	if err != nil {
		return fmt.Errorf("diff: %w", err)
	}
	defer root.Close()
	d := &differ{ctx: ctx, tw: tar.NewWriter(w), opts: &opts, links: node.Links{}, buf: make([]byte, 1<<17)}
	if err := d.dir(root); err != nil {
		return fmt.Errorf("diff: %w", err)
	}
	if err := d.tw.Close(); err != nil {
		return fmt.Errorf("diff: %w", err)
	}
	return nil
}

// differ is one Diff.
type differ struct {
	ctx   context.Context
	tw    *tar.Writer
	opts  *Options
	links node.Links
	buf   []byte
}

// dir writes what is in a directory; its own entry is written.
func (d *differ) dir(dir *node.Node) error {
	names, err := dir.Names()
	if err != nil {
		return err
	}
	for _, base := range names {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		n, err := node.Open(dir.FD, base, path.Join(dir.Name, base))
		if err != nil {
			return err
		}
		if n == nil {
			continue
		}
		err = d.node(n)
		n.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *differ) node(n *node.Node) error {
	dir, base := path.Split(n.Name)
	if strings.HasPrefix(base, whiteoutPrefix) {
		return fmt.Errorf("%s: a layer cannot have a file whose name begins with %q", n.Name, whiteoutPrefix)
	}
	gone, err := whiteout(n, d.opts)
	if err != nil {
		return err
	}
	if gone {
		return d.mark(dir+whiteoutPrefix+base, n)
	}
	if err := plain(n, d.opts); err != nil {
		return err
	}
	hdr, err := d.header(n)
	if hdr == nil || err != nil {
		return err
	}
	if first := d.links.First(n); first != "" {
		node.Link(hdr, first)
		return d.tw.WriteHeader(hdr)
	}
	switch {
	case hdr.Typeflag == tar.TypeReg:
		if err := n.WriteTo(d.ctx, d.tw, hdr, d.buf); err != nil {
			return fmt.Errorf("%s: %w", n.Name, err)
		}
		return nil
	case !n.IsDir():
		return d.tw.WriteHeader(hdr)
	}
	if err := d.tw.WriteHeader(hdr); err != nil {
		return err
	}
	covers, err := isOpaque(n, d.opts)
	if err != nil {
		return err
	}
	if covers {
		if err := d.mark(path.Join(n.Name, opaqueName), n); err != nil {
			return err
		}
	}
	return d.dir(n)
}

// mark writes an empty file that means something.
func (d *differ) mark(name string, n *node.Node) error {
	return d.tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, ModTime: node.ModTime(&n.Stat), Format: tar.FormatPAX})
}

// header is the entry of a node. Nil without an error: there is none.
func (d *differ) header(n *node.Node) (*tar.Header, error) {
	hdr, err := n.Header()
	if hdr == nil || err != nil {
		return nil, err
	}
	if hdr.Uid, err = unmapped(d.opts.UIDMap, hdr.Uid); err != nil {
		return nil, fmt.Errorf("owner of %s: %w", n.Name, err)
	}
	if hdr.Gid, err = unmapped(d.opts.GIDMap, hdr.Gid); err != nil {
		return nil, fmt.Errorf("group of %s: %w", n.Name, err)
	}
	return hdr, nil
}
