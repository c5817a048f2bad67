//go:build linux

package layer

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/node"
	"github.com/berthdev/berth/embedded/internal/xattr"
)

// Target is where a layer is unpacked.
type Target struct {
	// Dir is an empty directory.
	Dir string
	// Journal takes what Replay needs. Nil: the tar cannot be given again.
	Journal io.Writer
	// Replaced is a directory on the same file system for files that the tar itself replaces. It is made when there is one.
	Replaced string
}

// Apply unpacks the uncompressed tar of a layer and reads it to its end. Nothing
// outside of the target is written or read, whatever the tar says. OCI whiteouts
// become overlay's. On error the caller removes what is there.
//
// ctx is heeded between reads.
func Apply(ctx context.Context, target Target, r io.Reader, opts Options) (Result, error) {
	t, err := openTree(target.Dir)
	if err != nil {
		return Result{}, fmt.Errorf("unpack layer: %w", err)
	}
	defer t.close()
	src := &source{ctx: ctx, r: r, hash: sha256.New()}
	if target.Journal != nil {
		src.journal = newJournal(target.Journal)
	}
	u := &unpacker{
		t: t, opts: &opts, src: src, tr: tar.NewReader(src), replaced: target.Replaced,
		files: map[string]int{}, dirs: map[string]*attributes{}, buf: make([]byte, 1<<18),
	}
	err = u.run()
	if src.journal != nil {
		err = errors.Join(err, src.journal.close())
	}
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return Result{}, fmt.Errorf("unpack layer: %w", err)
	}
	u.res.DiffID = "sha256:" + hex.EncodeToString(src.hash.Sum(nil))
	u.res.TarSize = src.n
	return u.res, nil
}

// source is the tar as it is read: hashed, and but for files' content kept in the journal.
type source struct {
	ctx     context.Context
	r       io.Reader
	hash    hash.Hash
	n       int64
	journal *journal // may be nil
	content bool     // what is read is a file's content
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(p)
	s.hash.Write(p[:n])
	s.n += int64(n)
	if s.journal != nil && !s.content {
		s.journal.bytes(p[:n])
	}
	return n, err
}

// unpacker is one Apply.
type unpacker struct {
	t        *tree
	opts     *Options
	src      *source
	tr       *tar.Reader
	replaced string
	res      Result
	n        int                    // number of the entry
	files    map[string]int         // regular files by name: number of the entry that made them
	dirs     map[string]*attributes // of directories: they are set last
	buf      []byte
}

func (u *unpacker) run() error {
	for {
		hdr, err := u.tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		u.n++
		if err := u.entry(hdr); err != nil {
			return fmt.Errorf("entry %q: %w", hdr.Name, err)
		}
	}
	// What follows the end of the archive belongs to the digest.
	if _, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{u.src}, u.buf); err != nil {
		return err
	}
	return u.finish()
}

func (u *unpacker) entry(hdr *tar.Header) error {
	if hdr.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := cleanName(hdr.Name)
	if err != nil {
		return err
	}
	attr, err := u.attributes(hdr)
	if err != nil {
		return err
	}
	if name == "." {
		if hdr.Typeflag != tar.TypeDir {
			return errors.New("the root of a layer is a directory")
		}
		u.dirs["."] = attr
		return nil
	}
	if base := path.Base(name); strings.HasPrefix(base, whiteoutPrefix) {
		return u.whiteout(path.Dir(name), base)
	}
	var link place
	if hdr.Typeflag == tar.TypeLink {
		if link, err = u.linked(hdr.Linkname); err != nil {
			return err
		}
		defer unix.Close(link.at)
	}
	p, err := u.t.place(name, true)
	if err != nil {
		return err
	}
	opaque, err := u.clear(p, hdr.Typeflag == tar.TypeDir)
	if err != nil {
		return err
	}
	if hdr.Typeflag == tar.TypeLink {
		return unix.Linkat(link.at, link.base, p.at, p.base, 0)
	}
	if err := u.create(p, hdr, attr); err != nil {
		return err
	}
	if opaque {
		return xattr.Set(p.at, p.base, u.opts.prefix()+"opaque", "y")
	}
	return nil
}

// linked finds what a hard link is to. The caller closes the place's directory.
func (u *unpacker) linked(to string) (place, error) {
	name, err := cleanName(to)
	if err != nil {
		return place{}, fmt.Errorf("hard link to %q: %w", to, err)
	}
	p, err := u.t.place(name, false)
	if err == nil {
		if p.at, err = unix.FcntlInt(uintptr(p.at), unix.F_DUPFD_CLOEXEC, 0); err == nil {
			return p, nil
		}
	}
	return place{}, fmt.Errorf("hard link to %q: %w", to, err)
}

// clear makes room for an entry. opaque says that a whiteout was there and a
// directory comes: nothing of the lower layers' directory may show through.
func (u *unpacker) clear(p place, forDir bool) (opaque bool, err error) {
	st, err := lstat(p.at, p.base)
	if st == nil || err != nil {
		return false, err
	}
	if node.Kind(st) == unix.S_IFDIR {
		if forDir {
			return false, nil // it is the same directory
		}
		below := p.name + "/"
		for name := range u.files {
			if strings.HasPrefix(name, below) {
				if err := u.keep(name); err != nil {
					return false, err
				}
			}
		}
		for name := range u.dirs {
			if name == p.name || strings.HasPrefix(name, below) {
				delete(u.dirs, name)
			}
		}
		u.t.forget()
		if p, err = u.t.place(p.name, false); err != nil {
			return false, err
		}
	} else if _, ok := u.files[p.name]; ok {
		if err := u.keep(p.name); err != nil {
			return false, err
		}
		if p, err = u.t.place(p.name, false); err != nil {
			return false, err
		}
	}
	return forDir && isWhiteout(st), removeAll(p.at, p.base)
}

// finish sets the directories' attributes, those of the deepest first: a mode may close the way.
func (u *unpacker) finish() error {
	list := make([]string, 0, len(u.dirs))
	for name := range u.dirs {
		list = append(list, name)
	}
	slices.Sort(list)
	for _, name := range slices.Backward(list) {
		p := place{u.t.fd, ".", "."}
		if name != "." {
			var err error
			if p, err = u.t.place(name, false); err != nil {
				return err
			}
		}
		if err := u.setAll(p, u.dirs[name], false); err != nil {
			return fmt.Errorf("directory %q: %w", name, err)
		}
	}
	return nil
}
