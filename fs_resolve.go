package berth

import (
	"archive/tar"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/berthdev/berth/engine"
)

// resolve finds name in what is known already. It returns the node; or, where
// that is not known, nil and the name to ask the engine about, from which known links are gone.
// With follow a link in the last place is followed too.
func (f *containerFS) resolve(name string, follow bool) (string, *node, error) {
	for range maxLinks {
		next, n, err := f.step(name, follow)
		if err != nil || n != nil || next == name {
			return next, n, err
		}
		name = next
	}
	return "", nil, errTooManyLinks
}

// step is resolve up to the first link that is followed, after which the name is another.
func (f *containerFS) step(name string, follow bool) (string, *node, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if real, ok := f.links[name]; ok && follow {
		return real, nil, nil
	}
	top, n := f.covering(name)
	if n == nil {
		return name, nil, nil
	}
	done, rest := top, strings.TrimPrefix(strings.TrimPrefix(slashed(name), slashed(top)), "/")
	for rest != "" {
		element, after, _ := strings.Cut(rest, "/")
		child := n.children[element]
		if child == nil {
			return "", nil, fs.ErrNotExist
		}
		here := path.Join(done, element)
		if child.info.Mode()&fs.ModeSymlink != 0 && (after != "" || follow) {
			target, err := f.target(top, here, child)
			return path.Join(target, after), nil, err
		}
		n, done, rest = child, here, after
	}
	return name, n, nil
}

// covering is the known directory whose subtree name is in.
func (f *containerFS) covering(name string) (string, *node) {
	for dir := name; ; dir = path.Dir(dir) {
		if n := f.index[dir]; n != nil {
			return dir, n
		}
		if dir == "." {
			return "", nil
		}
	}
}

// target is where the link at here, below the known directory top, leads to. A path
// that climbs out of top is the engine's to tell: the names above may be links themselves.
func (f *containerFS) target(top, here string, n *node) (string, error) {
	if path.IsAbs(n.link) {
		return unslashed(n.link), nil
	}
	joined := path.Join(path.Dir(here), n.link)
	if top == "." {
		return unslashed("/" + joined), nil
	}
	if joined == top || strings.HasPrefix(joined, top+"/") {
		return joined, nil
	}
	st, err := f.c.cli.e.ContainerStatPath(f.ctx, f.c.id, "/"+here)
	if err != nil {
		return "", err
	}
	return unslashed(linkTarget("/"+here, st.LinkTarget)), nil
}

// dir is the directory that name leads to, with its whole subtree, which is fetched once.
func (f *containerFS) dir(name string) (*node, error) {
	real, n, err := f.resolve(name, true)
	if err != nil {
		return nil, err
	}
	if n == nil {
		if n, err = f.fetch(real); err != nil {
			return nil, err
		}
	}
	if !n.info.IsDir() {
		return nil, errNotDirectory
	}
	return n, nil
}

var errNotDirectory = errors.New("not a directory")

// fetch reads the subtree of name, which is not known, and keeps it.
func (f *containerFS) fetch(name string) (*node, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := f.index[name]; n != nil { // another call was quicker
		return n, nil
	}
	a, err := f.c.follow(f.ctx, "/"+slashed(name))
	if err != nil {
		return nil, err
	}
	defer a.Close()
	if a.first.Typeflag != tar.TypeDir {
		return nil, errNotDirectory
	}
	n, err := readTree(a)
	if err != nil {
		return nil, err
	}
	real := unslashed(a.path)
	f.index[real] = n
	if real != name {
		f.links[name] = real
	}
	return n, nil
}

// link looks the symbolic link name up, of which nothing is known. Engines that follow
// links themselves show how it is written in the archive of its directory only; and so does every engine
// with links that lead nowhere, or round in a circle.
func (f *containerFS) link(name string) (*node, error) {
	rc, stat, err := f.c.getArchive(f.ctx, "/"+slashed(name), engine.ArchiveOptions{})
	if err == nil {
		defer rc.Close()
		if stat.Mode&fs.ModeSymlink == 0 {
			return &node{info: infoOfStat(name, stat)}, nil
		}
		a := &openArchive{ReadCloser: rc, tr: tar.NewReader(rc)}
		if h, err := a.next(); err == nil && h.Typeflag == tar.TypeSymlink {
			return newNode(name, h), nil
		}
		rc.Close()
	}
	parent, perr := f.dir(path.Dir(name))
	if perr != nil {
		return nil, perr
	}
	if n := parent.children[path.Base(name)]; n != nil {
		return n, nil
	}
	if err == nil {
		err = fs.ErrNotExist
	}
	return nil, err
}
