//go:build linux

package files

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/layer"
	"github.com/berthdev/berth/engine"
)

// View is the root of a container's file system. Its methods may be called
// concurrently. The readers that they return are good after Close too.
type View struct {
	root *handle
	opts Options

	// The root's own file system without what is mounted on it is plain, or is opened when it is needed, with
	// a running container's /proc/PID.
	plain *handle
	proc  *handle
}

// Options of a View.
type Options struct {
	// UIDMap and GIDMap are those of the container's user namespace: tars have the container's IDs.
	UIDMap, GIDMap []engine.IDMap
}

// handle is a directory that several may hold; the last one to let go closes it.
type handle struct {
	fd   int
	done func() // runs after fd is closed; nil is nothing

	mu     sync.Mutex
	refs   int
	closed bool // by the View
}

func newHandle(fd int, done func()) *handle { return &handle{fd: fd, done: done, refs: 1} }

func (h *handle) hold() (*handle, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refs == 0 {
		return nil, os.ErrClosed
	}
	h.refs++
	return h, nil
}

func (h *handle) release() {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refs--; h.refs > 0 {
		return
	}
	unix.Close(h.fd)
	if h.done != nil {
		h.done()
	}
}

// Running is the view of a container whose first process is pid, as the process sees it. startTime is that of
// the process, in clock ticks since boot, 0 for not checking it; a process that
// is not there (any more) is ErrNotRunning.
func Running(pid int, startTime uint64, opts Options) (*View, error) {
	proc, err := unix.Open("/proc/"+strconv.Itoa(pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, gone(pid, err)
	}
	v := &View{proc: newHandle(proc, nil), opts: opts}
	if startTime != 0 {
		have, err := processStart(proc)
		if err == nil && have != startTime {
			err = unix.ESRCH
		}
		if err != nil {
			v.Close()
			return nil, gone(pid, err)
		}
	}
	root, err := unix.Openat(proc, "root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		v.Close()
		return nil, gone(pid, err)
	}
	v.root = newHandle(root, nil)
	return v, nil
}

// alone is the root without what is mounted on it. Where that cannot be had it is the root.
func (v *View) alone() (*handle, error) {
	if v.plain != nil {
		return v.plain.hold()
	}
	root, err := v.root.hold()
	if err != nil {
		return nil, err
	}
	proc, err := v.proc.hold()
	if err != nil {
		root.release()
		return nil, err
	}
	defer proc.release()
	fd, err := withoutMounts(proc.fd, root.fd)
	if err != nil { // a namespace that may not be entered, or whose mounts are locked
		return root, nil
	}
	root.release()
	return newHandle(fd, nil), nil
}

func gone(pid int, err error) error {
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ESRCH):
		return &engine.APIError{Engine: engineName, Op: "open container's files", Message: "process " + strconv.Itoa(pid) + " has ended", Kind: engine.ErrNotRunning}
	}
	return fmt.Errorf("open root of process %d: %w", pid, err)
}

// processStart is field 22 of /proc/PID/stat.
func processStart(proc int) (uint64, error) {
	fd, err := unix.Openat(proc, "stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	buf := make([]byte, 4096)
	n, err := unix.Read(fd, buf)
	if err != nil {
		return 0, err
	}
	text := string(buf[:n])
	rest := strings.Fields(text[strings.LastIndexByte(text, ')')+1:]) // from field 3 on
	if len(rest) < 20 {
		return 0, fmt.Errorf("read start time of a process: %q", text)
	}
	return strconv.ParseUint(rest[19], 10, 64)
}

// withoutMounts gives the file system of a process's root alone: what is below the mounts on it shows.
func withoutMounts(proc, root int) (fd int, err error) {
	ns, err := unix.Openat(proc, "ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(ns)
	err = onThread(func() error {
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return err
		}
		if err := unix.Setns(ns, unix.CLONE_NEWNS); err != nil {
			return err
		}
		fd, err = unix.OpenTree(root, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH)
		return err
	})
	return fd, err
}

// Close lets go of the view. It is idempotent.
func (v *View) Close() error {
	for _, h := range []*handle{v.root, v.plain, v.proc} {
		h.closeOnce()
	}
	return nil
}

// closeOnce is release for the view itself, which may be closed twice.
func (h *handle) closeOnce() {
	if h == nil {
		return
	}
	h.mu.Lock()
	closed := h.closed
	h.closed = true
	h.mu.Unlock()
	if !closed {
		h.release()
	}
}

const engineName = "embedded"

// fail gives an error of a path in the container its kind.
func fail(op, name string, err error) error {
	e := &engine.APIError{Engine: engineName, Op: op, Object: name, Message: err.Error()}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Kind, e.Message = engine.ErrNotFound, "could not find "+name+" in the container"
	case errors.Is(err, unix.ENOTDIR):
		e.Kind, e.Message = engine.ErrInvalid, name+": not a directory"
	case errors.Is(err, unix.EROFS):
		e.Kind, e.Message = engine.ErrConflict, "the container's file system or mount is read-only: "+err.Error()
	case errors.Is(err, unix.ELOOP), errors.Is(err, engine.ErrInvalid), errors.Is(err, tar.ErrHeader):
		e.Kind = engine.ErrInvalid
	case errors.Is(err, engine.ErrUnsupported):
		return err
	}
	return e
}

// Diff lists what a container has changed of its image: layer.Changes without the
// paths in hide, which the engine itself has made, as mountpoints; what is below them is listed. A
// directory that was changed only because of them is not listed either.
func Diff(ctx context.Context, upper string, layerDirs []string, opts layer.Options, hide []string) ([]engine.Change, error) {
	list, err := layer.Changes(ctx, upper, layerDirs, opts)
	if err != nil {
		return nil, err
	}
	return hideChanges(list, hide), nil
}
