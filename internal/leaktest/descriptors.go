package leaktest

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// descriptors returns what the open file descriptors of this process refer to, by their number; nothing on systems without /proc.
func descriptors() map[string]string {
	if runtime.GOOS != "linux" {
		return nil
	}
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	all := make(map[string]string)
	for _, e := range entries {
		target, err := os.Readlink(filepath.Join(dir, e.Name()))
		switch {
		case err != nil: // the directory's own descriptor, closed by now
		case strings.HasPrefix(target, "anon_inode:[event"): // the runtime's poller, opened once
		case strings.HasPrefix(target, "/sys/fs/cgroup/"), strings.HasPrefix(target, "/proc/"): // the runtime's, to follow the CPU limit
		default:
			all[e.Name()] = target
		}
	}
	return all
}
