package cgroup

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// engineName is in the errors that name an option.
const engineName = "embedded"

// Options of [Open].
type Options struct {
	// Rootless: we may be an ordinary user. In v1 hierarchies in which we may make no
	// group there is none; in v2 groups are made below the topmost group above our own that we
	// may write to. A limit that would need more is an UnsupportedError, and device rules, which an ordinary
	// user cannot set, are left to the user namespace.
	Rootless bool
	// MountInfo is what /proc/self/mountinfo holds; nil: it is read if it is needed.
	MountInfo []byte
}

// Group is one cgroup: the same path in every hierarchy. Its methods may be called
// at the same time, and by several processes.
type Group struct {
	path     string
	dirs     []dir
	rootless bool
}

// dir is a group in one hierarchy.
type dir struct {
	hierarchy
	base string // the hierarchy's directory that the group's path is relative to
	path string
	// refused is why a controller could not be enabled in a group above; "" if none was refused.
	refused string
	made    bool // by Make
}

// Open names a group; nothing is made. The path is relative to the root of every hierarchy: "berth/ID".
func Open(path string, opts Options) (*Group, error) {
	clean := filepath.Clean("/" + path)[1:]
	if clean == "" {
		return nil, &engine.InvalidError{Option: "cgroup", Value: path, Reason: "it is the root"}
	}
	g := &Group{path: clean, rootless: opts.Rootless}
	for _, h := range hierarchiesIn(opts.MountInfo) {
		d := dir{hierarchy: h, base: h.dir}
		if opts.Rootless && h.v2 {
			if d.base = delegated(h.dir); d.base == "" {
				continue
			}
			d.controllers = words(d.base + "/cgroup.controllers")
		}
		d.path = d.base + "/" + clean
		g.dirs = append(g.dirs, d)
	}
	return g, nil
}

// delegated is the topmost group of v2, above our own, in which we may make groups and move processes; "" is none.
func delegated(mount string) string {
	own, err := owns()
	if err != nil {
		return ""
	}
	found := ""
	for at := filepath.Clean("/" + own[""]); ; at = filepath.Dir(at) {
		if unix.Access(mount+at, unix.W_OK) != nil || unix.Access(mount+at+"/cgroup.procs", unix.W_OK) != nil {
			return found
		}
		found = filepath.Clean(mount + at)
		if at == "/" {
			return found
		}
	}
}

// Delegated are the controllers, by the names of v1, that groups of this process's user can have where cgroup v2 is alone.
func Delegated() []string {
	for _, h := range hierarchies() {
		if base := delegated(h.dir); h.v2 && base != "" {
			list := words(base + "/cgroup.controllers")
			if i := slices.Index(list, "io"); i >= 0 {
				list[i] = "blkio"
			}
			return list
		}
	}
	return nil
}

// Layout is the layout that the group was opened in.
func (g *Group) Layout() Layout {
	var all []hierarchy
	for _, d := range g.dirs {
		all = append(all, d.hierarchy)
	}
	return layoutOf(all)
}

// Exists says whether the group is there in any hierarchy.
func (g *Group) Exists() bool {
	return slices.ContainsFunc(g.dirs, func(d dir) bool { return exists(d.path) })
}

// OCIPath is the group's path as config.json has it: from the root of the hierarchies. It is "" where an ordinary user has none.
func (g *Group) OCIPath() string {
	if !g.rootless {
		return "/" + g.path
	}
	if d := g.v2(); d != nil && exists(d.path) {
		return strings.TrimPrefix(d.path, d.hierarchy.dir)
	}
	return ""
}

// TasksFiles are the "tasks" files of v1: a thread that writes "0" to each of them is
// in the group. Hierarchies in which Create could make no group are left out.
func (g *Group) TasksFiles() []string {
	var files []string
	for _, d := range g.dirs {
		if !d.v2 && (!g.rootless || exists(d.path)) {
			files = append(files, d.path+"/tasks")
		}
	}
	return files
}

// FD opens the group's directory of v2, for clone3 with CLONE_INTO_CGROUP; nil
// without error where there is none to join. The caller closes it.
func (g *Group) FD() (*os.File, error) {
	d := g.v2()
	if d == nil {
		return nil, nil
	}
	fd, err := open(d.path, unix.O_DIRECTORY|unix.O_PATH)
	if err != nil {
		if g.rootless && isDenied(err) {
			return nil, nil
		}
		return nil, err
	}
	return os.NewFile(uintptr(fd), d.path), nil
}

// v2 is the group in the unified hierarchy, or nil.
func (g *Group) v2() *dir {
	i := slices.IndexFunc(g.dirs, func(d dir) bool { return d.v2 })
	if i < 0 {
		return nil
	}
	return &g.dirs[i]
}

// with is the group in the hierarchy that has a controller, by the names of v1 and v2; nil where there is none.
func (g *Group) with(controllers ...string) *dir {
	for i := range g.dirs {
		for _, c := range controllers {
			if slices.Contains(g.dirs[i].controllers, c) {
				return &g.dirs[i]
			}
		}
	}
	return nil
}

// isDenied says that the kernel does not let us: what an ordinary user meets in hierarchies that are not its own.
func isDenied(err error) bool {
	for _, e := range []error{unix.EACCES, unix.EPERM, unix.EROFS, unix.ENOENT, fs.ErrPermission} {
		if isError(err, e) {
			return true
		}
	}
	return false
}
