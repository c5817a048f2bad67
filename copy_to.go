package berth

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/berthdev/berth/engine"
)

// Owner is a numeric user and group in a container.
type Owner struct{ UID, GID int }

// CopyToOptions say how [Container.CopyTo] copies.
type CopyToOptions struct {
	// Owner of everything that is made; the zero value is root.
	Owner Owner
	// ContainerUser makes the container's own user the owner instead. Podman.
	ContainerUser bool
	// FileMode and DirMode replace the permissions of files and directories; 0 keeps the source's.
	FileMode fs.FileMode
	DirMode  fs.FileMode
	// Follow copies what symbolic links lead to instead of the links.
	Follow bool
}

// CopyTo copies the files of fsys into the directory dst of the container,
// whether it runs or not: index.html in os.DirFS("site") becomes
// dst/index.html. dst and its parents are made, with mode 0755, when they are missing; files that are
// there already are replaced, and a directory is not replaced by a file nor the reverse. Times and permissions are fsys's.
//
// Files are streamed, in one request. Anything but files, directories and symbolic links is an error. When it fails, what was
// copied by then stays.
func (c *Container) CopyTo(ctx context.Context, dst string, fsys fs.FS, opts ...CopyToOptions) error {
	o, err := atMostOne("Container.CopyTo", opts)
	if err != nil {
		return err
	}
	if dst, err = containerPath("CopyTo", dst); err != nil {
		return err
	}
	if fsys == nil {
		return &InvalidError{Option: "Container.CopyTo", Reason: "the file system is nil"}
	}
	base, missing, err := c.existing(ctx, dst)
	if err != nil {
		return err
	}
	p := newPacker(fsys, missing, o)
	if err := c.put(ctx, base, p.pack, engine.PutArchiveOptions{NoOverwriteDirNonDir: true, CopyUIDGID: o.ContainerUser}); err != nil {
		return fmt.Errorf("copy to %s: %w", dst, err)
	}
	return nil
}

// existing splits the absolute path dir into its longest existing directory, links
// resolved, and what is missing below it ("" when nothing is).
func (c *Container) existing(ctx context.Context, dir string) (base, missing string, err error) {
	for links := 0; ; {
		st, err := c.cli.e.ContainerStatPath(ctx, c.id, dir)
		switch {
		case errors.Is(err, engine.ErrNotFound) && dir != "/":
			missing = path.Join(path.Base(dir), missing)
			dir = path.Dir(dir)
		case err != nil:
			return "", "", err
		case st.Mode.IsDir():
			return dir, missing, nil
		case st.Mode&fs.ModeSymlink != 0 && st.LinkTarget != "" && links < maxLinks:
			dir = linkTarget(dir, st.LinkTarget)
			links++
		default:
			return "", "", &InvalidError{Option: "path", Value: dir, Reason: "is not a directory in the container"}
		}
	}
}

// put unpacks in the directory dir the tar that write writes, while it does.
func (c *Container) put(ctx context.Context, dir string, write func(*tar.Writer) error, o engine.PutArchiveOptions) error {
	r, w := io.Pipe()
	written := make(chan error, 1)
	go func() {
		tw := tar.NewWriter(w)
		err := write(tw)
		if err == nil {
			err = tw.Flush()
		}
		written <- err
		if err == nil {
			err = tw.Close() // an engine need not read the end mark
		}
		w.CloseWithError(err)
	}()
	err := c.cli.e.ContainerPutArchive(ctx, c.id, dir, r, o)
	r.CloseWithError(io.ErrClosedPipe)
	werr := <-written
	switch {
	case werr == nil, errors.Is(werr, io.ErrClosedPipe) && err != nil:
		return err
	case errors.Is(werr, io.ErrClosedPipe):
		return errors.New("the engine has not read all of the archive")
	}
	return werr // the cause of what the engine says
}

// parents are the directories of a relative path, the outermost first: "a", "a/b" for "a/b".
func parents(name string) []string {
	if name == "" {
		return nil
	}
	var l []string
	for i, r := range name {
		if r == '/' {
			l = append(l, name[:i])
		}
	}
	return append(l, strings.TrimSuffix(name, "/"))
}
