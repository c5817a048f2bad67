package server

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/launch"
)

// The end of an overlay's last mount writes all of the disk's file system that is not there yet. The kernel does that before it tells of
// the end of a container's first process, if that had the last one. So the monitor has another one, until the
// end has been told and the monitor leaves, or starts the container again; and of a container that is removed by then nothing is left to
// be written. Meanwhile others may mount the same directories to read a container that does not run: nobody looks at this mount any more.

// rootMount is a root file system that nobody sees. Its zero value is none.
type rootMount struct {
	tree *os.File
	lock *os.File // its work directory: who has it locked has the overlay mounted
}

// mountRoot mounts the root file system; the zero value: it cannot be done here, and Start knows why.
func (m *monitor) mountRoot(o *launch.Overlay) (r rootMount) {
	m.root.close() // of the last run
	var err error
	if r.lock, err = os.Open(o.Work); err != nil {
		return rootMount{}
	}
	// The last monitor of this container may just be unmounting it.
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Flock(int(r.lock.Fd()), unix.LOCK_EX)
	}
	if err == nil {
		r.tree, err = launch.MountOverlay(o)
	}
	if err != nil {
		r.lock.Close()
		return rootMount{}
	}
	return r
}

func (r *rootMount) close() {
	r.tree.Close()
	r.lock.Close()
	*r = rootMount{}
}

// What unmounts the root of a container that has ended gives its removal this much time.
const (
	removalPolls = 10
	removalPoll  = time.Millisecond
)

// unmountRoot is the end of the last run's root.
func (m *monitor) unmountRoot() {
	if m.root.tree == nil {
		return
	}
	for range removalPolls {
		if _, err := os.Lstat(m.store.Dir(m.id)); err != nil {
			break
		}
		time.Sleep(removalPoll)
	}
	m.root.close()
}
