//go:build linux

package volume

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// Remove removes a volume. One that is in use is ErrConflict, force or not; a missing one with force is a success.
func (s *Store) Remove(ctx context.Context, name string, force bool, inUse InUse) error {
	const op = "remove volume"
	release, err := s.exclusive(ctx)
	if errors.Is(err, fs.ErrNotExist) { // no volume was ever made
		if force {
			return nil
		}
		return fail(op, name, engine.ErrNotFound, "get %s: no such volume", name)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", op, name, err)
	}
	if _, err := s.get(op, name); err != nil {
		release()
		if force && errors.Is(err, engine.ErrNotFound) {
			return nil
		}
		return err
	}
	users, err := inUse()
	if err != nil {
		release()
		return fmt.Errorf("%s %s: %w", op, name, err)
	}
	if ids := users[name]; len(ids) > 0 {
		release()
		return fail(op, name, engine.ErrConflict, "remove %s: volume is in use - [%s]", name, strings.Join(ids, ", "))
	}
	dead, err := s.kill(name)
	release() // the files take their time
	if err == nil {
		err = s.discard(dead)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", op, name, err)
	}
	return nil
}

// kill takes a volume's name away and returns what its directory is called now.
func (s *Store) kill(name string) (string, error) {
	if err := detach(s.Path(name)); err != nil {
		return "", err
	}
	dead := deadPrefix + name
	return dead, os.Rename(filepath.Join(s.root, name), filepath.Join(s.root, dead))
}

// discard removes a directory of the store with all that is in it. What is mounted in it is not touched: that is an error.
func (s *Store) discard(base string) error {
	dir := filepath.Join(s.root, base)
	if err := detach(filepath.Join(dir, dataDir)); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// detach unmounts whatever is mounted on dir.
func detach(dir string) error {
	for range 100 {
		mounted, err := isMount(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !mounted {
			return err
		}
		if err := unix.Unmount(dir, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return &os.PathError{Op: "unmount", Path: dir, Err: err}
		}
	}
	return &os.PathError{Op: "unmount", Path: dir, Err: unix.EBUSY}
}

// isMount tells whether something is mounted on dir, in this mount namespace.
func isMount(dir string) (bool, error) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, dir, unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT|unix.AT_STATX_DONT_SYNC, unix.STATX_TYPE, &st); err != nil {
		return false, &os.PathError{Op: "statx", Path: dir, Err: err}
	}
	return st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0, nil
}

// Prune removes the unused anonymous volumes that match the filters label and
// label!; with the filter all=true named ones too. A volume that cannot be removed does not keep the others.
func (s *Store) Prune(ctx context.Context, filters engine.Filters, inUse InUse) (engine.PruneReport, error) {
	var report engine.PruneReport
	f, err := parseFilters(filters, "all", "label", "label!")
	if err != nil {
		return report, err
	}
	list, err := s.List(ctx, nil, inUse)
	if err != nil {
		return report, err
	}
	users, err := inUse()
	if err != nil {
		return report, fmt.Errorf("prune volumes: %w", err)
	}
	var errs []error
	for _, v := range list {
		if len(users[v.Name]) > 0 || !v.Anonymous && !f.all || !f.labelled(v.Labels) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return report, errors.Join(append(errs, err)...)
		}
		size, err := s.Size(ctx, v.Name)
		if err == nil {
			err = s.Remove(ctx, v.Name, false, inUse)
		}
		switch {
		case err == nil:
			report.Deleted = append(report.Deleted, v.Name)
			report.Reclaimed += size
		case ctx.Err() != nil:
			return report, errors.Join(append(errs, err)...)
		case errors.Is(err, engine.ErrConflict), errors.Is(err, engine.ErrNotFound): // in use again, or gone
		default:
			if report.Errors == nil {
				report.Errors = map[string]error{}
			}
			report.Errors[v.Name] = err
			errs = append(errs, err)
		}
	}
	return report, errors.Join(errs...)
}

// Size is the sum of the sizes of the volume's files, in bytes. A missing volume is ErrNotFound.
func (s *Store) Size(ctx context.Context, name string) (engine.Bytes, error) {
	if _, err := s.get("measure volume", name); err != nil {
		return 0, err
	}
	var size int64
	type inode struct{ dev, ino uint64 }
	seen := map[inode]bool{}
	err := filepath.WalkDir(s.Path(name), func(_ string, d fs.DirEntry, err error) error {
		if cerr := ctx.Err(); cerr != nil {
			return cerr
		}
		if err == nil && d.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				st := info.Sys().(*syscall.Stat_t)
				if id := (inode{st.Dev, st.Ino}); st.Nlink == 1 || !seen[id] {
					seen[id] = true
					size += info.Size()
				}
			}
		}
		if errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			return nil
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("measure volume %s: %w", name, err)
	}
	return engine.Bytes(size), nil
}
