//go:build linux

package files

import (
	"path"
	"strings"

	"github.com/berthdev/berth/engine"
)

// hideChanges leaves out what the engine has made in the container's layer for its mounts, and
// directories that have changed because of nothing else. A hidden path that was deleted, or has something in it, stays.
func hideChanges(list []engine.Change, hide []string) []engine.Change {
	hidden := map[string]bool{}
	for _, h := range hide {
		hidden[path.Clean("/"+h)] = true
	}
	if len(hidden) == 0 {
		return list
	}
	out := []engine.Change{}
	parents := map[string]bool{}          // of what is left out
	keep := map[string]bool{}             // directories of what is not
	for i := len(list) - 1; i >= 0; i-- { // what is in a directory comes before the directory
		c := list[i]
		switch {
		case keep[c.Path]:
		case hidden[c.Path] && c.Kind != engine.ChangeDeleted,
			parents[c.Path] && c.Kind == engine.ChangeModified:
			parents[path.Dir(c.Path)] = true
			continue
		case parents[c.Path] && c.Kind == engine.ChangeAdded && within(hide, c.Path):
			continue // made on the way to a hidden path
		}
		out = append(out, c)
		keep[path.Dir(c.Path)] = true
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

func within(hide []string, dir string) bool {
	for _, h := range hide {
		if strings.HasPrefix(path.Clean("/"+h), dir+"/") {
			return true
		}
	}
	return false
}
