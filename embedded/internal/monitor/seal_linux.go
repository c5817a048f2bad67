package monitor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// sealed is the program that monitors run, as a file that nothing can write to: not
// even a container that gets hold of the monitor's /proc/PID/exe (CVE-2019-5736).
//
// It is the program's own file, seen through a read-only overlay that is mounted
// nowhere: all monitors share its pages in memory, however many programs have started
// them. Where the kernel refuses that (no privilege, a file that is deleted, an overlay on
// overlays), it is a sealed copy in memory, shared by the monitors of this program alone.
type sealed struct {
	file *os.File
	copy bool // in memory
}

// sealProgram seals the program path; "" is this one.
func sealProgram(path, empty string) (*sealed, error) {
	running := path
	if path == "" {
		running = "/proc/self/exe"
		var err error
		if path, err = os.Readlink(running); err != nil {
			return nil, fmt.Errorf("find the program: %w", err)
		}
	}
	if f, err := overlaid(path, running, empty); err == nil {
		return &sealed{file: f}, nil
	}
	f, err := copied(running)
	if err != nil {
		return nil, fmt.Errorf("seal the program of monitors: %w", err)
	}
	return &sealed{file: f, copy: true}, nil
}

// overlaid opens path through an overlay of its directory and an empty one: an overlay
// without an upper directory wants two. running is another name of the same file.
func overlaid(path, running, empty string) (*os.File, error) {
	if err := os.MkdirAll(empty, 0o700); err != nil {
		return nil, err
	}
	if err := same(path, running); err != nil {
		return nil, err
	}
	fs, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fs)
	escape := strings.NewReplacer(`\`, `\\`, ":", `\:`)
	if err := unix.FsconfigSetString(fs, "lowerdir", escape.Replace(filepath.Dir(path))+":"+escape.Replace(empty)); err != nil {
		return nil, err
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return nil, err
	}
	mount, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOSUID)
	if err != nil {
		return nil, err
	}
	defer unix.Close(mount)
	fd, err := unix.Openat(mount, filepath.Base(path), unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), path)
	// The directory was looked up after the first comparison.
	if err := same(path, running); err != nil {
		f.Close()
		return nil, err
	}
	if err := executable(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// same says that two names are of one regular file, and that the first is no link.
func same(path, running string) error {
	a, err := os.Lstat(path)
	if err != nil {
		return err
	}
	b, err := os.Stat(running)
	if err != nil {
		return err
	}
	if !a.Mode().IsRegular() || !os.SameFile(a, b) {
		return errors.New(path + " is another file now")
	}
	return nil
}

// executable says that a file can be executed where it is.
func executable(f *os.File) error {
	return unix.Faccessat(unix.AT_FDCWD, fdPath(f), unix.X_OK, 0)
}

func fdPath(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// copied copies the program into memory and seals it.
func copied(path string) (*os.File, error) {
	src, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	const mfdExec = 0x10 // MFD_EXEC, since Linux 6.3
	fd, err := unix.MemfdCreate("berth-monitor", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|mfdExec)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate("berth-monitor", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if errors.Is(err, unix.EACCES) {
		return nil, fmt.Errorf("vm.memfd_noexec forbids programs in memory: %w", err)
	}
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "berth-monitor")
	if _, err := io.Copy(f, src); err != nil {
		f.Close()
		return nil, err
	}
	if err := unix.Fchmod(fd, 0o500); err != nil {
		f.Close()
		return nil, err
	}
	_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
	if err != nil {
		f.Close()
		return nil, os.NewSyscallError("seal", err)
	}
	// What is written to cannot be executed: opened anew for reading, by which name it stays.
	ro, err := os.Open(fdPath(f))
	f.Close()
	return ro, err
}
