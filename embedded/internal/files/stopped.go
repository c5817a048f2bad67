//go:build linux

package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/xattr"
	"github.com/berthdev/berth/engine"
)

// Stopped describes a container that does not run.
type Stopped struct {
	LayerDirs []string // the topmost layer first
	Upper     string   // its overlay's upper directory; "" is none: an image
	Work      string   // its overlay's work directory; another one beside it is used
	Root      string   // an empty directory to mount on, for nobody else to see; "" is the first of LayerDirs
	Mounts    []Mount  // in the order in which they are mounted
	ReadOnly  bool     // the container's root file system is read-only
	UserXattr bool     // overlay's marks are in user.overlay.*
	// Write: the view is for PutArchive. The caller holds the container's lock until
	// Close, so that it is not started meanwhile. A view without it leaves the container's directories alone.
	Write bool
	// UserNS gives a user namespace with UIDMap and GIDMap, where the owners of the layers' files, and of
	// those of mounts with Shift, are on the disk the container's own numbers. They are shifted by it, as they are when the container runs. Nil is nothing.
	// It is called once, and OpenStopped closes the file.
	UserNS func() (*os.File, error)
	// Prepare runs in the private mount namespace before anything is mounted, on its thread; nil is nothing.
	Prepare func() error
	Options
}

// Mount is a bind mount of a stopped container.
type Mount struct {
	Source    string // absolute, on the host
	Target    string // absolute, in the container; it is made where it is missing
	ReadOnly  bool
	Recursive bool // with what is mounted below Source
	// ReadOnlyBelow makes what is mounted below read-only, too.
	ReadOnlyBelow bool
	Shift         bool // its owners are shifted: see Stopped.UserNS
}

// Mounts are those of an OCI configuration that a stopped container's view has: its
// binds, but for those in /dev, /proc and /sys. A tmpfs does not exist before the
// container runs, nor what the engine puts together at the start (sources in the directory made): what is under
// them is seen, as on Docker.
func Mounts(oci *specs.Spec, made string) []Mount {
	var list []Mount
	if oci == nil {
		return nil
	}
	for _, m := range oci.Mounts {
		out := Mount{Source: m.Source, Target: m.Destination}
		bind := m.Type == "bind"
		for _, o := range m.Options {
			switch o {
			case "bind":
				bind = true
			case "rbind":
				bind, out.Recursive = true, true
			case "ro":
				out.ReadOnly = true
			case "rro":
				out.ReadOnly, out.ReadOnlyBelow = true, true
			case "rw", "rrw":
				out.ReadOnly, out.ReadOnlyBelow = false, false
			}
		}
		if bind && path.IsAbs(m.Source) && !below(m.Source, made) &&
			!below(m.Destination, "/dev") && !below(m.Destination, "/proc") && !below(m.Destination, "/sys") {
			list = append(list, out)
		}
	}
	return list
}

// below tells whether a path is dir or in it.
func below(name, dir string) bool {
	name = path.Clean(name)
	return dir != "" && (name == dir || strings.HasPrefix(name, dir+"/"))
}

// OpenStopped makes the view of a stopped container: an overlay and the
// container's mounts in a mount namespace that has no process in it.
func OpenStopped(ctx context.Context, s Stopped) (*View, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(s.LayerDirs) == 0 {
		return nil, errors.New("open container's files: it has no layers")
	}
	if s.Root == "" {
		s.Root = s.LayerDirs[0]
	}
	o := &opening{s: s, root: -1, plain: -1, ns: -1}
	if err := onThread(o.open); err != nil {
		o.discard()
		return nil, fmt.Errorf("open container's files: %w", err)
	}
	v := &View{opts: s.Options}
	// The namespace lives as long as somebody holds it by a descriptor. With it goes the overlay, and then its work directory can.
	v.root = newHandle(o.root, func() {
		unix.Close(o.ns)
		o.removeWork()
	})
	v.plain = newHandle(o.plain, nil)
	return v, nil
}

// workPrefix begins the names of work directories of views that are written to.
const workPrefix = ".work-"

// opening is one OpenStopped, on a thread of its own.
type opening struct {
	s     Stopped
	root  int    // the root with its mounts
	plain int    // without
	ns    int    // the mount namespace
	work  string // "" is none

	userns *os.File // nil: owners are not shifted
}

func (o *opening) discard() {
	for _, fd := range []int{o.root, o.plain, o.ns} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	o.removeWork()
}

func (o *opening) removeWork() {
	if o.work != "" {
		os.RemoveAll(o.work)
	}
}

func (o *opening) open() error {
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err == unix.EPERM {
		return &engine.UnsupportedError{Option: "the files of a container that does not run", Engine: engineName, Reason: "this process may not make a mount namespace"}
	} else if err != nil {
		return fmt.Errorf("new mount namespace: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if o.s.Prepare != nil {
		if err := o.s.Prepare(); err != nil {
			return err
		}
	}
	if o.s.UserNS != nil {
		var err error
		if o.userns, err = o.s.UserNS(); err != nil {
			return fmt.Errorf("make a user namespace: %w", err)
		}
		defer o.userns.Close()
	}
	// What is bound is opened before the root covers anything.
	sources, err := o.sources()
	defer func() {
		for _, fd := range sources {
			unix.Close(fd)
		}
	}()
	if err != nil {
		return err
	}
	if err := o.overlay(); err != nil {
		return err
	}
	if o.root, err = unix.Open(o.s.Root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		return &os.PathError{Op: "open", Path: o.s.Root, Err: err}
	}
	if o.plain, err = unix.OpenTree(o.root, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH); err != nil {
		return fmt.Errorf("open the root: %w", err)
	}
	if err := o.s.becomeRoot(); err != nil { // mountpoints are the container's
		return err
	}
	for i, m := range o.s.Mounts {
		if err := o.bind(sources[i], m); err != nil {
			return fmt.Errorf("mount %s on %s: %w", m.Source, m.Target, err)
		}
	}
	if o.s.ReadOnly {
		if err := unix.Mount("", xattr.Path(o.root), "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
			return fmt.Errorf("make the root read-only: %w", err)
		}
	}
	if o.ns, err = unix.Open("/proc/thread-self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("hold the mount namespace: %w", err)
	}
	return nil
}

// sources opens detached copies of what is to be bound, in the order of the mounts.
func (o *opening) sources() ([]int, error) {
	var list []int
	for _, m := range o.s.Mounts {
		flags := uint(unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC)
		if m.Recursive {
			flags |= unix.AT_RECURSIVE
		}
		fd, err := unix.OpenTree(unix.AT_FDCWD, m.Source, flags)
		if err != nil {
			return list, &os.PathError{Op: "open", Path: m.Source, Err: err}
		}
		list = append(list, fd)
		if m.Shift {
			if err := o.shift(fd); err != nil {
				return list, &os.PathError{Op: "shift the owners of", Path: m.Source, Err: err}
			}
		}
	}
	return list, nil
}

// shift makes a detached mount show its owners as those that the user namespace maps them to.
func (o *opening) shift(tree int) error {
	if o.userns == nil {
		return nil
	}
	attr := &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(o.userns.Fd())}
	return unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, attr)
}

// shiftLayer mounts a layer on itself, with shifted owners.
func (o *opening) shiftLayer(dir string) error {
	if o.userns == nil {
		return nil
	}
	tree, err := unix.OpenTree(unix.AT_FDCWD, dir, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err == nil {
		defer unix.Close(tree)
		err = o.shift(tree)
	}
	if err == nil {
		err = unix.MoveMount(tree, "", unix.AT_FDCWD, dir, unix.MOVE_MOUNT_F_EMPTY_PATH)
	}
	if err != nil {
		return &os.PathError{Op: "shift the owners of", Path: dir, Err: err}
	}
	return nil
}

// overlay mounts the container's root on Root. Layers are named by descriptors,
// relative to /proc/self/fd, so that the options of any number of them fit in a page.
// A view that is not written to has the upper directory among its lower ones, and
// memory to write mountpoints to.
func (o *opening) overlay() error {
	var fds []int
	defer func() {
		for _, fd := range fds {
			unix.Close(fd)
		}
	}()
	open := func(dir string) (string, error) {
		fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return "", &os.PathError{Op: "open", Path: dir, Err: err}
		}
		fds = append(fds, fd)
		return strconv.Itoa(fd), nil
	}
	for _, dir := range o.s.LayerDirs {
		if err := o.shiftLayer(dir); err != nil {
			return err
		}
	}
	lowers := o.s.LayerDirs
	if o.s.Upper != "" && !o.s.Write {
		lowers = append([]string{o.s.Upper}, lowers...)
	}
	var names []string
	for _, dir := range lowers {
		name, err := open(dir)
		if err != nil {
			return err
		}
		names = append(names, name)
	}
	var data strings.Builder
	data.WriteString("lowerdir=" + strings.Join(names, ":"))
	upper, work, err := o.writable(lowers[0])
	if err != nil {
		return err
	}
	for _, d := range []struct{ option, dir string }{{"upperdir", upper}, {"workdir", work}} {
		name, err := open(d.dir)
		if err != nil {
			return err
		}
		data.WriteString("," + d.option + "=" + name)
	}
	data.WriteString(",index=off,volatile")
	if o.s.UserXattr {
		data.WriteString(",userxattr")
	} else {
		data.WriteString(",redirect_dir=off,metacopy=off")
	}
	if err := unix.Chdir("/proc/self/fd"); err != nil {
		return err
	}
	defer unix.Chdir("/")
	if err := unix.Mount("overlay", o.s.Root, "overlay", 0, data.String()); err != nil {
		return fmt.Errorf("mount overlay (the kernel's log has the reason): %w", err)
	}
	return nil
}

// writable gives the overlay's upper and work directories: the container's own and a new one
// beside its own, or in memory, which is mounted on Root and which the overlay covers then. top is the topmost of
// the lower directories then: the root gets its attributes.
func (o *opening) writable(top string) (upper, work string, err error) {
	if o.s.Write && o.s.Upper != "" {
		left, _ := filepath.Glob(path.Join(path.Dir(o.s.Work), workPrefix+"*"))
		for _, dir := range left { // of who crashed: the caller holds the container's lock
			os.RemoveAll(dir)
		}
		if o.work, err = os.MkdirTemp(path.Dir(o.s.Work), workPrefix); err != nil {
			return "", "", err
		}
		return o.s.Upper, o.work, nil
	}
	var st unix.Stat_t
	if err := unix.Stat(top, &st); err != nil {
		return "", "", &os.PathError{Op: "stat", Path: top, Err: err}
	}
	if err := unix.Mount("berth", o.s.Root, "tmpfs", 0, "mode=700"); err != nil {
		return "", "", fmt.Errorf("mount memory: %w", err)
	}
	upper, work = path.Join(o.s.Root, "upper"), path.Join(o.s.Root, "work")
	times := []unix.Timespec{st.Atim, st.Mtim}
	return upper, work, errors.Join(
		os.Mkdir(upper, 0o700), os.Mkdir(work, 0o700),
		unix.Chown(upper, int(st.Uid), int(st.Gid)), unix.Chmod(upper, st.Mode&0o7777),
		unix.UtimesNanoAt(unix.AT_FDCWD, upper, times, 0),
	)
}

// bind mounts what fd is on the mount's target, inside the root.
func (o *opening) bind(fd int, m Mount) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	target, err := o.mountpoint(m.Target, st.Mode&unix.S_IFMT == unix.S_IFDIR)
	if err != nil {
		return err
	}
	defer unix.Close(target)
	if err := unix.MoveMount(fd, "", target, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH); err != nil {
		return err
	}
	switch {
	case !m.ReadOnly:
		return nil
	case m.ReadOnlyBelow:
		return unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
	}
	return unix.Mount("", xattr.Path(fd), "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
}

// mountpoint opens the target of a mount, a directory or a file, and makes it where it is missing: where
// links that lead nowhere lead to, as at the container's start.
func (o *opening) mountpoint(name string, dir bool) (int, error) {
	fd, err := openIn(o.root, name, unix.O_PATH)
	if !errors.Is(err, fs.ErrNotExist) {
		return fd, err
	}
	if name, err = evaluate(o.root, name); err != nil {
		return -1, err
	}
	parent, base := path.Split(name)
	at, err := mkdirsIn(o.root, parent)
	if err != nil {
		return -1, err
	}
	defer unix.Close(at)
	if dir {
		err = unix.Mkdirat(at, base, 0o755)
	} else {
		var f int
		if f, err = unix.Openat(at, base, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o644); err == nil {
			unix.Close(f)
		}
	}
	if err != nil && err != unix.EEXIST {
		return -1, err
	}
	return openIn(o.root, name, unix.O_PATH)
}
