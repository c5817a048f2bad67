package berth

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"
)

// node is a file of a subtree that is known. It is not modified once the subtree is read.
type node struct {
	info     fileInfo
	link     string           // of a symbolic link, as it is written
	children map[string]*node // of a directory
}

// entries lists a directory, sorted by name.
func (n *node) entries() []fs.DirEntry {
	l := make([]fs.DirEntry, 0, len(n.children))
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		l = append(l, fs.FileInfoToDirEntry(n.children[name].info))
	}
	return l
}

// newNode is the node of a tar's entry.
func newNode(name string, h *tar.Header) *node {
	n := &node{info: infoOfStat(name, statOfHeader(h))}
	switch h.Typeflag {
	case tar.TypeSymlink:
		n.link = h.Linkname
	case tar.TypeDir:
		n.children = map[string]*node{}
	}
	return n
}

// readTree reads the names of a directory's tar, to its end.
func readTree(a *openArchive) (*node, error) {
	rootName, err := entryName(a.first.Name)
	if err != nil {
		return nil, err
	}
	root := newNode(".", a.first)
	links := map[string]string{} // hard links, to their targets
	for {
		h, err := a.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read archive: %w", err)
		}
		name, err := treeName(rootName, h.Name)
		if err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeLink {
			if links[name], err = treeName(rootName, h.Linkname); err != nil {
				return nil, err
			}
		}
		if name != "." {
			root.add(name, newNode(name, h))
		}
	}
	for name, target := range links {
		if n, t := root.find(name), root.find(target); n != nil && t != nil {
			n.info = t.info.named(name)
		}
	}
	return root, nil
}

// add puts a node into the tree, whose directories may come after what is in them.
func (n *node) add(name string, child *node) {
	dir := n
	for _, parent := range parents(slashed(path.Dir(name))) {
		next := dir.children[path.Base(parent)]
		if next == nil || next.children == nil {
			next = newNode(parent, &tar.Header{Typeflag: tar.TypeDir, Name: parent, Mode: int64(defaultDirMode)})
			dir.children[path.Base(parent)] = next
		}
		dir = next
	}
	if old := dir.children[path.Base(name)]; old != nil && old.children != nil && child.children != nil {
		child.children = old.children
	}
	dir.children[path.Base(name)] = child
}

// find is the node of a name below n, nil when there is none. It follows no links.
func (n *node) find(name string) *node {
	for _, parent := range parents(slashed(name)) {
		if n = n.children[path.Base(parent)]; n == nil {
			return nil
		}
	}
	return n
}

// fileInfo implements fs.FileInfo.
type fileInfo struct {
	name    string
	size    int64
	mode    fs.FileMode
	modTime time.Time
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) Mode() fs.FileMode  { return i.mode }
func (i fileInfo) ModTime() time.Time { return i.modTime }
func (i fileInfo) IsDir() bool        { return i.mode.IsDir() }
func (i fileInfo) Sys() any           { return nil }
func (i fileInfo) String() string     { return fs.FormatFileInfo(i) }

// named is i for another name.
func (i fileInfo) named(name string) fileInfo {
	i.name = path.Base(name)
	return i
}

func infoOfStat(name string, st PathStat) fileInfo {
	return fileInfo{name: path.Base(name), size: st.Size, mode: st.Mode, modTime: st.ModTime}
}
