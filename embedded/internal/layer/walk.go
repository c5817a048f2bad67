//go:build linux

package layer

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/node"
	"github.com/berthdev/berth/embedded/internal/xattr"
)

// whiteout tells whether the node stands for a removed file, in either of overlay's forms.
func whiteout(n *node.Node, opts *Options) (bool, error) {
	if isWhiteout(&n.Stat) {
		return true, nil
	}
	if n.Kind() != unix.S_IFREG || n.Stat.Size != 0 {
		return false, nil
	}
	_, ok, err := xattr.Get(n.FD, opts.prefix()+"whiteout")
	return ok, err
}

// isOpaque tells whether nothing of lower layers is seen in the directory.
func isOpaque(n *node.Node, opts *Options) (bool, error) {
	value, _, err := xattr.Get(n.FD, opts.prefix()+"opaque")
	return value == "y", err
}

// plain refuses what overlay keeps elsewhere: Berth mounts with redirect_dir and metacopy off, others may not have.
func plain(n *node.Node, opts *Options) error {
	for _, name := range []string{"redirect", "metacopy"} {
		_, ok, err := xattr.Get(n.FD, opts.prefix()+name)
		if err != nil {
			return err
		}
		if ok {
			return fmt.Errorf("%s: overlay attribute %q: it was mounted with an option that layers cannot have", n.Name, name)
		}
	}
	return nil
}
