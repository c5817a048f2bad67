package state

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// cache keeps what container.json and exit.json of containers hold, so that a list
// costs a stat of each. What it returns is shared and never written to.
type cache struct {
	mu      sync.Mutex
	configs map[string]cached[Config]
	exits   map[string]cached[Exit]
}

type cached[T any] struct {
	v  *T
	at version
}

// mostCached bounds each map. Above it, any one makes room.
const mostCached = 10_000

// version tells one content of a file from another: a file is always replaced by another one.
type version struct {
	dev, ino uint64
	size     int64
	mtime    int64 // ns
}

func versionOf(st *unix.Stat_t) version {
	return version{uint64(st.Dev), st.Ino, st.Size, st.Mtim.Nano()}
}

// pathVersion is zero when the file is not there.
func pathVersion(path string) version {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return version{}
	}
	return versionOf(&st)
}

// settled tells that no other content can have the same version. A file that was
// written in this very tick of the file system's clock may be replaced by one that gets its inode and its time.
func (v version) settled(now time.Time) bool {
	const tick = 20 * time.Millisecond
	return now.UnixNano()-v.mtime > int64(tick)
}

func (c *cache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.configs, id)
	delete(c.exits, id)
}

// keep puts v into m. The caller holds mu.
func keep[T any](m *map[string]cached[T], id string, v *T, at version) {
	if !at.settled(time.Now()) {
		return
	}
	if *m == nil {
		*m = map[string]cached[T]{}
	}
	if len(*m) >= mostCached {
		for other := range *m {
			delete(*m, other)
			break
		}
	}
	(*m)[id] = cached[T]{v, at}
}
