package state

import (
	"bytes"
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
	// data is what the file held, where at does not tell that for sure: it is to be read again, but not to be decoded.
	data []byte
}

// is says that the file still has the version that is known.
func (c cached[T]) is(path string) bool {
	return c.v != nil && c.data == nil && c.at == pathVersion(path)
}

// holds says that data is what was decoded.
func (c cached[T]) holds(data []byte) bool {
	return c.v != nil && c.data != nil && bytes.Equal(c.data, data)
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

// keep puts v, which data say, into m. The caller holds mu.
func keep[T any](m *map[string]cached[T], id string, v *T, at version, data []byte) {
	if at.settled(time.Now()) {
		data = nil
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
	(*m)[id] = cached[T]{v, at, data}
}
