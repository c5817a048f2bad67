package berth

import (
	"context"
	"fmt"
	"os"
	"path"
)

// CopyFromOptions say how [Container.CopyFrom] copies.
type CopyFromOptions struct {
	// Owner gives the files the owners they have in the container, which takes privileges. Without it they are
	// the caller's, and lose the set-user-ID and set-group-ID bits.
	Owner bool
	// SkipSpecial leaves devices, named pipes and sockets out. Without it they are an error.
	SkipSpecial bool
}

// CopyFrom copies a directory of the container, or a file, into the directory
// dir of this machine: /srv in the container to dir as a whole, so that
// /srv/x becomes dir/x; the file /srv/x to dir/x. A symbolic link src is followed; links below it are
// copied as links, wherever they lead. dir is made when it is missing; files that are there already are replaced.
//
// Nothing is written outside of dir, whatever names and links the container has. Files
// are streamed. When it fails, what was copied by then stays.
func (c *Container) CopyFrom(ctx context.Context, src, dir string, opts ...CopyFromOptions) error {
	o, err := atMostOne("Container.CopyFrom", opts)
	if err != nil {
		return err
	}
	if src, err = containerPath("CopyFrom", src); err != nil {
		return err
	}
	if dir == "" {
		return &InvalidError{Option: "Container.CopyFrom", Reason: "the local directory is empty"}
	}
	a, err := c.follow(ctx, src)
	if err != nil {
		return err
	}
	defer a.Close()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	x := &extractor{root: root, opts: o}
	if err := x.extract(a, path.Base(src)); err != nil {
		if ctx.Err() != nil {
			err = contextError(ctx)
		}
		return fmt.Errorf("copy %s from container: %w", src, err)
	}
	return nil
}
