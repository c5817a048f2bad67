//go:build linux

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// shifted makes the root file system and the volumes of a container that has a user namespace, while the engine has none: they are
// mounted with shifted owners, which on the disk are the image's.
func (s *starter) shifted() error {
	cfg := s.in.Config
	if !cfg.Shifted {
		return nil
	}
	ns, err := userNamespace(cfg.UIDMap, cfg.GIDMap)
	if err != nil {
		return fmt.Errorf("make a user namespace: %w", err)
	}
	defer ns.Close()
	if len(cfg.Layers) > 0 {
		if s.out.Root, err = s.shiftedRoot(ns); err != nil {
			return err
		}
	}
	for _, m := range cfg.Mounts {
		if m.Type != engine.MountVolume {
			continue
		}
		tree := s.out.Trees[m.Target]
		if tree == nil {
			if tree, err = treeAt(unix.AT_FDCWD, m.Source, 0); err != nil {
				return err
			}
			s.out.Trees[m.Target] = tree
		}
		if err := shift(tree, ns); err != nil {
			return err
		}
	}
	return nil
}

// shiftedRoot is the overlay of layers with shifted owners. The upper directory has none: who mounts an overlay must be able to
// make files in it, and this process's user has no place in the container's. So what the container writes belongs on the disk to
// its own users.
func (s *starter) shiftedRoot(ns *os.File) (*os.File, error) {
	fsfd, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make the root: %w", err)
	}
	defer unix.Close(fsfd)
	for _, d := range s.in.LayerDirs {
		tree, err := treeAt(unix.AT_FDCWD, d, 0)
		if err != nil {
			return nil, err
		}
		defer tree.Close() // a tree is gone with its descriptor: not before the overlay is made
		if err := shift(tree, ns); err != nil {
			return nil, err
		}
		if err := unix.FsconfigSetFd(fsfd, "lowerdir+", int(tree.Fd())); err != nil {
			return nil, fmt.Errorf("make the root: layer %s: %w", d, err)
		}
	}
	if err := s.ownRoot(); err != nil {
		return nil, err
	}
	for _, o := range [][2]string{
		{"upperdir", s.in.Upper}, {"workdir", filepath.Join(filepath.Dir(s.in.Upper), "work")},
		{"index", "off"}, {"redirect_dir", "off"}, {"metacopy", "off"},
	} {
		if err := unix.FsconfigSetString(fsfd, o[0], o[1]); err != nil {
			return nil, fmt.Errorf("make the root: option %s: %w", o[0], err)
		}
	}
	if err := unix.FsconfigCreate(fsfd); err != nil {
		return nil, fmt.Errorf("make the root: %w", err)
	}
	fd, err := unix.Fsmount(fsfd, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make the root: %w", err)
	}
	return os.NewFile(uintptr(fd), "root"), nil
}

// ownRoot gives the root directory to the container's users: the owner that the image gives it.
func (s *starter) ownRoot() error {
	info, err := os.Stat(s.in.LayerDirs[0])
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	cfg := s.in.Config
	return os.Lchown(s.in.Upper, int(hostID(cfg.UIDMap, st.Uid)), int(hostID(cfg.GIDMap, st.Gid)))
}

// shift shows the owners in a tree as those that ns maps them to.
func shift(tree, ns *os.File) error {
	attr := &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(ns.Fd())}
	if err := unix.MountSetattr(int(tree.Fd()), "", unix.AT_EMPTY_PATH, attr); err != nil {
		if err == unix.EINVAL {
			return &engine.UnsupportedError{Option: "Spec.UsernsMode", Engine: engineName, Reason: "the file system of " + tree.Name() + " cannot be mounted with shifted owners"}
		}
		return fmt.Errorf("shift the owners of %s: %w", tree.Name(), err)
	}
	return nil
}

// userNamespace makes a user namespace that nobody is in. The process that it takes is stopped before its first
// instruction (by ptrace) and killed.
func userNamespace(uids, gids []engine.IDMap) (ns *os.File, err error) {
	maps := func(list []engine.IDMap) (out []syscall.SysProcIDMap) {
		for _, m := range list {
			out = append(out, syscall.SysProcIDMap{ContainerID: int(m.ContainerID), HostID: int(m.HostID), Size: int(m.Size)})
		}
		return out
	}
	onThread(func() {
		var p *os.Process
		p, err = os.StartProcess("/proc/self/exe", []string{"berth-userns"}, &os.ProcAttr{Env: []string{}, Sys: &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWUSER, UidMappings: maps(uids), GidMappings: maps(gids), Ptrace: true, Pdeathsig: unix.SIGKILL,
		}})
		if err != nil {
			return
		}
		ns, err = os.Open(fmt.Sprintf("/proc/%d/ns/user", p.Pid))
		p.Kill()
		p.Wait()
	})
	return ns, err
}
