package berth

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"github.com/berthdev/berth/engine"
)

// ReadFile returns the content of a file in the container, whether it runs or
// not. Symbolic links are followed inside the container. A missing file is an [ErrNotFound], and a
// [fs.ErrNotExist]. All of it is kept in memory: see [Container.FS] to stream.
func (c *Container) ReadFile(ctx context.Context, name string) ([]byte, error) {
	name, err := containerPath("ReadFile", name)
	if err != nil {
		return nil, err
	}
	f, err := c.openFile(ctx, name)
	if err != nil {
		return nil, pathError("read", name, err)
	}
	defer f.Close()
	if f.first.Typeflag == tar.TypeDir {
		return nil, pathError("read", name, errIsDirectory)
	}
	data, err := io.ReadAll(f.tr)
	if err != nil {
		return nil, pathError("read", name, err)
	}
	return data, nil
}

var (
	errIsDirectory = errors.New("is a directory")
	errNotRegular  = errors.New("is not a regular file")
)

// openFile is follow for what is to be read: files and directories.
func (c *Container) openFile(ctx context.Context, name string) (*openArchive, error) {
	a, err := c.follow(ctx, name)
	if err != nil {
		return nil, err
	}
	switch a.first.Typeflag {
	case tar.TypeDir, tar.TypeReg, tar.TypeGNUSparse:
		return a, nil
	}
	a.Close()
	return nil, errNotRegular
}

// WriteFileOptions say how [Container.WriteFile] writes.
type WriteFileOptions struct {
	Owner   Owner     // the zero value is root
	ModTime time.Time // the zero value is now
	// Parents makes missing directories on the way, with mode 0755.
	Parents bool
}

// WriteFile writes data to a file in the container, whether it runs or not. The
// file is made, or replaced, with these permissions, and with the owner of the options; a symbolic
// link in its place is followed. A missing directory is an [ErrNotFound], unless WriteFileOptions.Parents.
func (c *Container) WriteFile(ctx context.Context, name string, data []byte, mode fs.FileMode, opts ...WriteFileOptions) error {
	o, err := atMostOne("Container.WriteFile", opts)
	if err != nil {
		return err
	}
	if name, err = containerPath("WriteFile", name); err != nil {
		return err
	}
	if mode.Type() != 0 {
		return &InvalidError{Option: "mode", Value: mode.String(), Reason: "is not that of a regular file"}
	}
	name, err = c.writable(ctx, name)
	if err != nil {
		return pathError("write", name, err)
	}
	dir, missing := path.Dir(name), ""
	if o.Parents {
		if dir, missing, err = c.existing(ctx, dir); err != nil {
			return pathError("write", name, err)
		}
	}
	if o.ModTime.IsZero() {
		o.ModTime = time.Now()
	}
	p := newPacker(nil, missing, CopyToOptions{Owner: o.Owner})
	err = c.put(ctx, dir, func(w *tar.Writer) error {
		p.tw = w
		for _, parent := range parents(missing) {
			if err := p.parent(parent); err != nil {
				return err
			}
		}
		h := &tar.Header{
			Typeflag: tar.TypeReg, Name: path.Join(missing, path.Base(name)),
			Size: int64(len(data)), Mode: tarMode(mode), ModTime: o.ModTime,
		}
		if err := p.header(h); err != nil {
			return err
		}
		_, err := p.tw.Write(data)
		return err
	}, engine.PutArchiveOptions{NoOverwriteDirNonDir: true})
	if err != nil {
		return pathError("write", name, err)
	}
	return nil
}

// writable follows the link name, if it is one, to where a file can be written.
func (c *Container) writable(ctx context.Context, name string) (string, error) {
	if name == "/" {
		return name, errIsDirectory
	}
	for range maxLinks {
		st, err := c.cli.e.ContainerStatPath(ctx, c.id, name)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			return name, nil
		case err != nil:
			return name, err
		case st.Mode.IsDir():
			return name, errIsDirectory
		case st.Mode&fs.ModeSymlink != 0 && st.LinkTarget != "":
			name = linkTarget(name, st.LinkTarget)
		case !st.Mode.IsRegular():
			return name, errNotRegular
		default:
			return name, nil
		}
	}
	return name, fmt.Errorf("%w: too many levels of symbolic links", ErrInvalid)
}
