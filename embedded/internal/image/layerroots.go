//go:build linux

package image

import (
	"sync"

	"golang.org/x/sys/unix"
)

// layerRoots remembers which layers are in the store, and whether their root directories hide what is below: containers
// wait for that, and an image may have many layers. Layers come and go by a rename, in whatever process, which the
// time of their parent directory tells.
type layerRoots struct {
	mu   sync.Mutex
	then *seenRoots
}

// seenRoots is what was found while the directory of layers had this state.
type seenRoots struct {
	dev, ino     uint64
	mtime, ctime unix.Timespec

	mu     sync.Mutex
	opaque map[string]bool     // by diffID
	dirs   map[string][]string // of images, by ID
}

// as is what is known of the directory of layers as it is now; nothing where that cannot be told.
func (r *layerRoots) as(dir string) *seenRoots {
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil {
		return newSeenRoots(&st)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.then; t == nil || t.dev != uint64(st.Dev) || t.ino != st.Ino || t.mtime != st.Mtim || t.ctime != st.Ctim {
		r.then = newSeenRoots(&st)
	}
	return r.then
}

func newSeenRoots(st *unix.Stat_t) *seenRoots {
	return &seenRoots{dev: uint64(st.Dev), ino: st.Ino, mtime: st.Mtim, ctime: st.Ctim, opaque: make(map[string]bool), dirs: make(map[string][]string)}
}

func (s *seenRoots) of(diffID string) (opaque, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	opaque, known = s.opaque[diffID]
	return opaque, known
}

func (s *seenRoots) add(diffID string, opaque bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opaque[diffID] = opaque
}

// dirsOf is what keep has been told of an image.
func (s *seenRoots) dirsOf(imageID string) (dirs []string, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dirs, known = s.dirs[imageID]
	return dirs, known
}

func (s *seenRoots) keep(imageID string, dirs []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.dirs) >= maxParsed {
		clear(s.dirs)
	}
	s.dirs[imageID] = dirs
}
