package testenv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const cgroups = "/sys/fs/cgroup"

// CgroupV2 says that cgroup v2 is alone on this machine.
func CgroupV2() bool {
	var st unix.Statfs_t
	return unix.Statfs(cgroups, &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC
}

// delegate makes a group of cgroup v2 with all controllers that there are, gives it to a user as systemd gives him user@.service
// (its processes are in groups below), and opens one below for his first process. remove takes everything back, and
// tells what of his was left there.
func delegate(id int) (group *os.File, remove func() error, err error) {
	top := filepath.Join(cgroups, fmt.Sprintf("berth-ordinary-%d", id))
	session := filepath.Join(top, "session")
	remove = func() error { return removeGroups(top, session) }
	defer func() {
		if err != nil {
			err = errors.Join(err, remove())
		}
	}()
	controllers, err := os.ReadFile(filepath.Join(cgroups, "cgroup.controllers"))
	if err != nil {
		return nil, nil, err
	}
	for c := range strings.FieldsSeq(string(controllers)) {
		// What cannot be enabled there cannot be had.
		os.WriteFile(filepath.Join(cgroups, "cgroup.subtree_control"), []byte("+"+c), 0)
	}
	for _, dir := range []string{top, session} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, nil, err
		}
		for _, file := range []string{"", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"} {
			if err := os.Chown(filepath.Join(dir, file), id, id); err != nil {
				return nil, nil, err
			}
		}
	}
	group, err = os.Open(session)
	return group, remove, err
}

// removeGroups removes the groups below top. What an engine keeps there is no leftover; a container's group is.
func removeGroups(top, session string) error {
	var dirs []string
	err := filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	for i := len(dirs) - 1; i >= 0; i-- {
		if len(filepath.Base(dirs[i])) == 64 {
			err = errors.Join(err, fmt.Errorf("the cgroup %s was left", dirs[i]))
		}
		if rerr := unix.Rmdir(dirs[i]); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, &fs.PathError{Op: "rmdir", Path: dirs[i], Err: rerr})
		}
	}
	return err
}
