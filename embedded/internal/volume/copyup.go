//go:build linux

package volume

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/files"
	"github.com/berthdev/berth/embedded/internal/userns"
	"github.com/berthdev/berth/engine"
)

// CopyUp fills the volume's directory mountpoint, if it is empty, from the
// directory pathInImage of an image whose layer directories are given, topmost
// first, with owners, modes, times, extended attributes, links and devices; the
// directory gets the attributes of pathInImage too. Links in the image are followed inside of it. Where the image
// has no such directory it does nothing. After an error the volume is empty.
//
// A volume that needs it is mounted (Store.Mount) by the caller.
func CopyUp(ctx context.Context, mountpoint string, layerDirs []string, pathInImage string) error {
	if len(layerDirs) == 0 {
		return nil
	}
	unlock, err := flockDir(ctx, mountpoint) // another container may be about to fill it too
	if err != nil {
		return err
	}
	defer unlock()
	empty, err := isEmpty(mountpoint)
	if err != nil || !empty {
		return err
	}
	v, err := files.OpenStopped(ctx, files.Stopped{LayerDirs: layerDirs, UserXattr: !userns.Initial()})
	if err != nil {
		return fmt.Errorf("fill volume: %w", err)
	}
	defer v.Close()
	err = v.CopyTree(ctx, pathInImage, mountpoint)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("fill volume: %w", err)
	}
	return nil
}

// Has says that the image has something at a path: without it there is nothing to copy, nor to mount a volume for.
func Has(ctx context.Context, layerDirs []string, pathInImage string) (bool, error) {
	if len(layerDirs) == 0 {
		return false, nil
	}
	v, err := files.OpenStopped(ctx, files.Stopped{LayerDirs: layerDirs, UserXattr: !userns.Initial()})
	if err != nil {
		return false, fmt.Errorf("look into the image: %w", err)
	}
	defer v.Close()
	_, err = v.Stat(ctx, pathInImage)
	if errors.Is(err, engine.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func isEmpty(dir string) (bool, error) {
	d, err := os.Open(dir)
	if err != nil {
		return false, fmt.Errorf("fill volume: %w", err)
	}
	defer d.Close()
	switch _, err := d.Readdirnames(1); {
	case err == io.EOF:
		return true, nil
	default:
		return false, err
	}
}
