package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// PIDs are the processes of the group and of groups in it, in ascending order. A group that is gone has none.
func (g *Group) PIDs() ([]int, error) {
	// Any hierarchy tells; one of v1 first, where containers that were made without v2 are, too.
	d := g.with("pids", "freezer", "devices", "memory")
	if d == nil || !exists(d.path) {
		if i := slices.IndexFunc(g.dirs, func(d dir) bool { return exists(d.path) }); i >= 0 {
			d = &g.dirs[i]
		}
	}
	if d == nil {
		return nil, nil
	}
	var pids []int
	if err := addPIDs(&pids, d.path); err != nil {
		return nil, err
	}
	slices.Sort(pids)
	return slices.Compact(pids), nil
}

// addPIDs adds the processes of a directory and of those in it.
func addPIDs(pids *[]int, path string) error {
	text, err := read(path + "/cgroup.procs")
	switch {
	case errors.Is(err, unix.EOPNOTSUPP):
		// A threaded group: its processes are listed by the group above.
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENODEV):
		return nil
	case err != nil:
		return err
	default:
		if *pids, err = parsePIDs(*pids, text); err != nil {
			return fmt.Errorf("%s/cgroup.procs: %w", path, err)
		}
	}
	var stat unix.Stat_t
	if unix.Stat(path, &stat) == nil && stat.Nlink <= 2 {
		return nil // the kernel counts the groups in it as links
	}
	entries, err := os.ReadDir(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := addPIDs(pids, filepath.Join(path, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// parsePIDs adds the numbers in text. A process outside of our pid namespace is 0 and is left out.
func parsePIDs(pids []int, text string) ([]int, error) {
	n := -1
	for i := 0; i <= len(text); i++ {
		switch {
		case i < len(text) && text[i] >= '0' && text[i] <= '9':
			if n = max(n, 0)*10 + int(text[i]-'0'); n > 1<<31-1 {
				return pids, strconv.ErrRange
			}
		case i == len(text) || text[i] == '\n':
			if n > 0 {
				pids = append(pids, n)
			}
			n = -1
		default:
			return pids, strconv.ErrSyntax
		}
	}
	return pids, nil
}
