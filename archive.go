package berth

import (
	"context"
	"io"
	"path"
)

// GetArchive streams a tar of a path in the container, whose base name is the
// tar's root, with what the engine tells about the path. The path is absolute, or taken from the root
// directory, and is cleaned: "/etc/." is "/etc". A missing one is an
// [ErrNotFound]. The caller closes the reader; ctx governs it until then. A tar that is cut short is
// [io.ErrUnexpectedEOF].
//
// A symbolic link itself is archived as a link by Docker, and followed by
// Podman; [Container.CopyFrom], [Container.ReadFile] and [Container.FS] follow it on every engine.
//
// The engine reads the container's file system: /proc, /sys, /dev and
// mounts are there as far as the engine shows them.
func (c *Container) GetArchive(ctx context.Context, name string, opts ...ArchiveOptions) (io.ReadCloser, PathStat, error) {
	o, err := atMostOne("Container.GetArchive", opts)
	if err != nil {
		return nil, PathStat{}, err
	}
	if name, err = containerPath("GetArchive", name); err != nil {
		return nil, PathStat{}, err
	}
	return c.getArchive(ctx, name, o)
}

// PutArchive unpacks a tar, plain or gzip-compressed, into an existing directory
// of the container, whether it runs or not. A missing directory is an
// [ErrNotFound]. See [Container.CopyTo] for files that are not in a tar.
func (c *Container) PutArchive(ctx context.Context, dir string, tar io.Reader, opts ...PutArchiveOptions) error {
	o, err := atMostOne("Container.PutArchive", opts)
	if err != nil {
		return err
	}
	if dir, err = containerPath("PutArchive", dir); err != nil {
		return err
	}
	if tar == nil {
		return &InvalidError{Option: "Container.PutArchive", Reason: "the tar is nil"}
	}
	return c.cli.e.ContainerPutArchive(ctx, c.id, dir, tar, o)
}

// StatPath tells about a path in the container. A symbolic link is described
// itself; its LinkTarget is where it leads to, from the container's root. A
// missing path is an [ErrNotFound].
func (c *Container) StatPath(ctx context.Context, name string) (PathStat, error) {
	name, err := containerPath("StatPath", name)
	if err != nil {
		return PathStat{}, err
	}
	return c.cli.e.ContainerStatPath(ctx, c.id, name)
}

// containerPath makes name an absolute, clean path in a container.
func containerPath(call, name string) (string, error) {
	if name == "" {
		return "", &InvalidError{Option: "Container." + call, Reason: "the path is empty"}
	}
	return path.Clean("/" + name), nil
}
