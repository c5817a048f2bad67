package cgroup

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Remove removes the group, and groups in it. While processes are still leaving it waits, until
// ctx ends. A group that is gone is no error.
func (g *Group) Remove(ctx context.Context) error {
	var errs []error
	for _, d := range g.dirs {
		for wait := 100 * time.Microsecond; ; wait = min(2*wait, 20*time.Millisecond) {
			err := removeTree(d.path)
			if errors.Is(err, unix.EBUSY) {
				select {
				case <-time.After(wait):
					continue
				case <-ctx.Done():
					err = errors.Join(ctx.Err(), err)
				}
			}
			if err != nil && !(g.rootless && isDenied(err)) {
				errs = append(errs, err)
			}
			break
		}
	}
	return errors.Join(errs...)
}

// removeTree removes a group without processes and the groups in it.
func removeTree(path string) error {
	err := rmdir(path)
	if !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.ENOTEMPTY) {
		return err
	}
	below, e := os.ReadDir(path)
	if e != nil {
		if errors.Is(e, fs.ErrNotExist) {
			return nil
		}
		return e
	}
	groups := false
	for _, entry := range below {
		if entry.IsDir() {
			groups = true
			if err := removeTree(filepath.Join(path, entry.Name())); err != nil {
				return err
			}
		}
	}
	if !groups {
		return err
	}
	return rmdir(path)
}

func rmdir(path string) error {
	if err := unix.Rmdir(path); err != nil && err != unix.ENOENT {
		return &fs.PathError{Op: "rmdir", Path: path, Err: err}
	}
	return nil
}
