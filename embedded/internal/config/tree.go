//go:build linux

package config

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// A tree is a detached copy of a mount: who holds its descriptor can attach it anywhere, and no path leads to it.

const cloneTree = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC | unix.AT_RECURSIVE

// subtree is a path below a directory, whatever links lead to: they cannot lead out.
func subtree(dir, sub string) (*os.File, error) {
	root, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(root)
	return treeAt(root, sub, unix.RESOLVE_IN_ROOT|unix.RESOLVE_NO_MAGICLINKS)
}

func treeAt(root int, path string, resolve uint64) (*os.File, error) {
	fd, err := unix.Openat2(root, path, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: resolve})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	tree, err := unix.OpenTree(fd, "", cloneTree|unix.AT_EMPTY_PATH)
	if err != nil {
		return nil, &fs.PathError{Op: "open_tree", Path: path, Err: err}
	}
	return os.NewFile(uintptr(tree), path), nil
}

// treeOf is a mount of another process's mount namespace. The kernel copies mounts of one's own namespace only: a thread goes there and ends there.
func treeOf(pid int, path string) (tree *os.File, err error) {
	ns, err := os.Open("/proc/" + strconv.Itoa(pid) + "/ns/mnt")
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	onThread(func() {
		if err = unix.Unshare(unix.CLONE_FS); err != nil {
			return
		}
		if err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNS); err != nil {
			err = fmt.Errorf("enter the mount namespace of process %d: %w", pid, err)
			return
		}
		tree, err = treeAt(unix.AT_FDCWD, path, unix.RESOLVE_NO_SYMLINKS)
	})
	return tree, err
}

// onThread runs f on a thread that ends with it, and waits. The main thread stays as it is: /proc/self is its view, and processes that
// launch has started on it end with it. (Those started on other threads may end with this one.)
func onThread(f func()) {
	done := make(chan struct{})
	var run func()
	run = func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			next := make(chan struct{})
			go func() { defer close(next); run() }()
			<-next
			runtime.UnlockOSThread()
			return
		}
		defer close(done)
		f()
	}
	go run()
	<-done
}

// overlayTree mounts an overlay: lower directories, the topmost first, and upper and work if it is to be written to. In the user
// namespace of an ordinary user its attributes are those of users.
func overlayTree(lower []string, upper, work string, userxattr bool) (tree *os.File, err error) {
	opts := [][2]string{{"redirect_dir", "off"}, {"metacopy", "off"}}
	if userxattr { // with it they are off, and may not even be named
		opts = [][2]string{{"userxattr"}}
	}
	if upper != "" {
		opts = append(opts, [][2]string{{"upperdir", upper}, {"workdir", work}, {"index", "off"}}...)
	}
	if kernelAtLeast(6, 7) {
		for _, d := range lower {
			opts = append(opts, [2]string{"lowerdir+", d})
		}
		return mountOverlay(opts)
	}
	// All of them are one option, which has at most 255 characters: they are named by descriptors, relative to
	// /proc/self/fd. Kernels before 6.5 look for them only when the overlay is made.
	var names []string
	for _, d := range lower {
		fd, err := unix.Open(d, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, &os.PathError{Op: "make an overlay of", Path: d, Err: err}
		}
		defer unix.Close(fd)
		names = append(names, strconv.Itoa(fd))
	}
	option := strings.Join(names, ":")
	if len(option) > 255 {
		return nil, fmt.Errorf("%d layers are too many for a kernel before 6.7", len(lower))
	}
	onThread(func() {
		if err = unix.Unshare(unix.CLONE_FS); err != nil {
			return
		}
		if err = unix.Chdir("/proc/self/fd"); err != nil {
			return
		}
		tree, err = mountOverlay(append(opts, [2]string{"lowerdir", option}))
	})
	return tree, err
}

// mountOverlay mounts an overlay that is attached nowhere. An option without a value is a flag.
func mountOverlay(opts [][2]string) (*os.File, error) {
	fsfd, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make an overlay: %w", err)
	}
	defer unix.Close(fsfd)
	for _, o := range opts {
		if o[1] == "" {
			err = unix.FsconfigSetFlag(fsfd, o[0])
		} else {
			err = unix.FsconfigSetString(fsfd, o[0], o[1])
		}
		if err != nil {
			return nil, fmt.Errorf("make an overlay: option %s: %w", o[0], err)
		}
	}
	if err := unix.FsconfigCreate(fsfd); err != nil {
		return nil, fmt.Errorf("make an overlay: %w", err)
	}
	fd, err := unix.Fsmount(fsfd, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make an overlay: %w", err)
	}
	return os.NewFile(uintptr(fd), "overlay"), nil
}

// copyOwner gives a directory the owner and mode of another one.
func copyOwner(dir string, info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if err := os.Lchown(dir, int(st.Uid), int(st.Gid)); err != nil {
		return err
	}
	return unix.Chmod(dir, st.Mode&0o7777)
}

// chown gives the source of a mount to the container's user, with all below it. Links are not followed.
func (s *starter) chown(m state.Mount) error {
	cfg := s.in.Config
	uid, gid := int(hostID(cfg.UIDMap, s.id.user.UID)), int(hostID(cfg.GIDMap, s.id.user.GID))
	if m.Type == engine.MountVolume && cfg.Shifted {
		uid, gid = int(s.id.user.UID), int(s.id.user.GID) // it is mounted with shifted owners
	}
	source := s.out.Trees[m.Target] // where links in a volume lead to is decided
	if source == nil {
		fd, err := unix.Open(m.Source, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		source = os.NewFile(uintptr(fd), m.Source)
		defer source.Close()
	}
	info, err := source.Stat()
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return unix.Fchownat(int(source.Fd()), "", uid, gid, unix.AT_EMPTY_PATH)
	}
	root, err := os.OpenRoot(fmt.Sprintf("/proc/self/fd/%d", source.Fd()))
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return root.Lchown(p, uid, gid)
	})
}
