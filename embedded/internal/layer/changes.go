//go:build linux

package layer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/node"
	"github.com/berthdev/berth/engine"
)

// Changes lists what an overlay upper directory changes of the merged lower
// directories, topmost first: absolute paths, sorted. The container may be
// running. A directory in which something changed is itself modified; one that was
// copied up and has nothing of its own is not listed, as on Docker. Of a removed directory
// only its own path is listed.
func Changes(ctx context.Context, upper string, lowers []string, opts Options) ([]engine.Change, error) {
	root, err := node.OpenDir(upper)
	if err != nil {
		return nil, fmt.Errorf("list changes: %w", err)
	}
	defer root.Close()
	below := make([]*node.Node, 0, len(lowers))
	defer func() { closeAll(below) }()
	for _, dir := range lowers {
		n, err := node.OpenDir(dir)
		if err != nil {
			return nil, fmt.Errorf("list changes: %w", err)
		}
		below = append(below, n)
	}
	c := &comparer{ctx: ctx, opts: &opts, list: []engine.Change{}}
	if err := c.dir(root, below, false); err != nil {
		return nil, fmt.Errorf("list changes: %w", err)
	}
	slices.SortFunc(c.list, func(a, b engine.Change) int { return cmp.Compare(a.Path, b.Path) })
	return c.list, nil
}

func closeAll(list []*node.Node) {
	for _, n := range list {
		n.Close()
	}
}

// comparer is one Changes.
type comparer struct {
	ctx  context.Context
	opts *Options
	list []engine.Change
}

func (c *comparer) add(name string, kind engine.ChangeKind) {
	c.list = append(c.list, engine.Change{Path: "/" + name, Kind: kind})
}

// dir compares what is in a directory with the lower directories of that path,
// topmost first. covered says that nothing of these shows through.
func (c *comparer) dir(dir *node.Node, below []*node.Node, covered bool) error {
	names, err := dir.Names()
	if err != nil {
		return err
	}
	for _, base := range names {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		n, err := node.Open(dir.FD, base, path.Join(dir.Name, base))
		if err != nil {
			return err
		}
		if n == nil {
			continue
		}
		err = c.node(n, base, below, covered)
		n.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *comparer) node(n *node.Node, base string, below []*node.Node, covered bool) (err error) {
	old, err := c.lower(base, n.Name, below)
	defer func() { closeAll(old) }()
	if err != nil {
		return err
	}
	gone, err := whiteout(n, c.opts)
	switch {
	case err != nil:
		return err
	case gone && len(old) > 0:
		c.add(n.Name, engine.ChangeDeleted)
		return nil
	case gone:
		return nil
	case len(old) == 0:
		c.add(n.Name, engine.ChangeAdded)
	case !n.IsDir():
		c.add(n.Name, engine.ChangeModified)
		return nil
	}
	if !n.IsDir() {
		return nil
	}
	covers, err := isOpaque(n, c.opts)
	if err != nil {
		return err
	}
	mark := len(c.list)
	covered = covered || covers
	if len(old) > 0 && old[0].IsDir() && covered {
		if err := c.hidden(n, old); err != nil {
			return err
		}
	}
	dirs := old
	if len(old) > 0 && !old[0].IsDir() {
		dirs = nil
	}
	if err := c.dir(n, dirs, covered); err != nil {
		return err
	}
	if len(old) > 0 && (len(c.list) > mark || !old[0].IsDir() || !sameDir(&n.Stat, &old[0].Stat)) {
		c.add(n.Name, engine.ChangeModified)
	}
	return nil
}

// hidden lists as deleted what an opaque directory hides and does not have itself.
func (c *comparer) hidden(n *node.Node, below []*node.Node) error {
	seen := map[string]bool{}
	for _, dir := range below {
		names, err := dir.Names()
		if err != nil {
			return err
		}
		for _, base := range names {
			if seen[base] {
				continue
			}
			seen[base] = true
			old, err := c.lower(base, path.Join(n.Name, base), below)
			exists := len(old) > 0
			closeAll(old)
			if err != nil {
				return err
			}
			if st, err := lstat(n.FD, base); err != nil {
				return err
			} else if exists && st == nil {
				c.add(path.Join(n.Name, base), engine.ChangeDeleted)
			}
		}
	}
	return nil
}

// lower finds base in the lower directories: what is seen of it first, and if that
// is a directory those that are merged with it. The caller closes them, after an error too.
func (c *comparer) lower(base, name string, below []*node.Node) (found []*node.Node, err error) {
	for _, dir := range below {
		n, err := node.Open(dir.FD, base, name)
		if err != nil && !errors.Is(err, unix.ENOTDIR) {
			return found, err
		}
		if n == nil {
			continue
		}
		gone, err := whiteout(n, c.opts)
		if gone || err != nil || len(found) > 0 && !n.IsDir() {
			n.Close()
			return found, err
		}
		found = append(found, n)
		if !n.IsDir() {
			return found, nil
		}
		if covers, err := isOpaque(n, c.opts); covers || err != nil {
			return found, err
		}
	}
	return found, nil
}

// sameDir tells that a directory was copied up only because of something in it.
func sameDir(a, b *unix.Stat_t) bool {
	return a.Mode == b.Mode && a.Uid == b.Uid && a.Gid == b.Gid && a.Mtim == b.Mtim
}
