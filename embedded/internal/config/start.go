//go:build linux

package config

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// StartInput is what a start needs beside the files of the container.
type StartInput struct {
	Config *state.Config
	OCI    *specs.Spec // not modified
	// Dir is containers/ID; "" is where Upper lies.
	Dir string
	// LayerDirs are the container's, the topmost first: Config.Layers without the upper directory.
	LayerDirs []string
	// Upper is the container's upper directory.
	Upper string
	// Containers finds the containers of container: namespaces.
	Containers func(ref string) (*state.Config, *state.Run, error)
}

// Started is a configuration ready for launch.
type Started struct {
	// OCI is a copy of the container's, with users, namespaces and paths in volumes resolved. It may share memory with the container's: not to be changed.
	OCI *specs.Spec
	// Trees are detached mounts by their destination, for launch.Config.Trees. Another runtime needs each
	// attached at the source of its mount in OCI, in a private mount namespace.
	Trees map[string]*os.File
	// Root is the root file system as a detached mount, for launch.Config.Root; nil: it is the overlay of the
	// container's layers and upper directory. It is there where owners are shifted.
	Root *os.File
}

// Close closes the trees: call it when the first process runs or the start has failed.
func (s *Started) Close() error {
	for _, f := range s.Trees {
		f.Close()
	}
	if s.Root != nil {
		s.Root.Close()
	}
	s.Trees, s.Root = nil, nil
	return nil
}

// StartSpec resolves anew what may have changed since the container was made or ran: the user's name,
// the namespaces of other containers (engine.ErrConflict when one does not run), paths in volumes, variables with secrets. It makes
// the missing sources of binds that are to be made, and gives mounts with Chown to the container's user.
//
// It may end threads of the process, but never the main one: containers must have been started on that (see launch.Start).
func StartSpec(ctx context.Context, in StartInput) (_ *Started, err error) {
	if in.Dir == "" {
		in.Dir = filepath.Dir(in.Upper)
	}
	oci := *in.OCI
	p, l := *in.OCI.Process, *in.OCI.Linux
	oci.Process, oci.Linux = &p, &l
	p.Env = slices.Clone(p.Env)
	l.Namespaces = slices.Clone(l.Namespaces)
	oci.Mounts = slices.Clone(oci.Mounts)
	s := &starter{in: in, oci: &oci, out: &Started{OCI: &oci, Trees: map[string]*os.File{}}}
	defer func() {
		if err != nil {
			s.out.Close()
		}
	}()
	for _, step := range []func() error{s.user, s.secretEnv, s.namespaces, s.shm, s.sources, s.shifted} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := step(); err != nil {
			return nil, err
		}
	}
	if s.out.OCI, err = patched(s.oci, &in.Config.Spec); err != nil {
		return nil, err
	}
	s.home()
	return s.out, nil
}

// starter makes one configuration ready.
type starter struct {
	in   StartInput
	oci  *specs.Spec
	out  *Started
	id   identity
	pids map[string]int // of other containers' first processes, by ID
}

// root are the files of the container, which does not run.
func (s *starter) root() layers { return layers{dirs: append([]string{s.in.Upper}, s.in.LayerDirs...)} }

// user looks the process's user up in the container's files.
func (s *starter) user() error {
	cfg := s.in.Config
	id, ok := keptIdentity(cfg.Account, s.in.Upper)
	if !ok {
		var err error
		if id, err = lookupUser(userOf(cfg), cfg.Spec.GroupAdd, s.root()); err != nil {
			return err
		}
	}
	for _, g := range cfg.CDIGroups {
		id.user.AdditionalGids = appendID(id.user.AdditionalGids, g)
	}
	if err := haveIDs(cfg, "Spec.User", id); err != nil {
		return err
	}
	setUser(s.oci.Process, id)
	s.id = id
	return nil
}

// home sets HOME where nothing else has.
func (s *starter) home() {
	p := s.out.OCI.Process
	if !slices.ContainsFunc(p.Env, func(e string) bool { return strings.HasPrefix(e, "HOME=") }) {
		p.Env = append(p.Env, "HOME="+s.id.home)
	}
}

// secretEnv sets the variables that hold secrets.
func (s *starter) secretEnv() (err error) {
	s.oci.Process.Env, err = withSecrets(s.oci.Process.Env, s.in.Config, s.in.Dir)
	return err
}

// withSecrets adds the variables that hold secrets.
func withSecrets(env []string, cfg *state.Config, dir string) ([]string, error) {
	for _, name := range sortedKeys(cfg.Spec.SecretEnv) {
		b, err := os.ReadFile(filepath.Join(dir, "files", secretEnvDir, name))
		if err != nil {
			return nil, fmt.Errorf("read the secret of the variable %s: %w", name, err)
		}
		env = setEnv(env, name+"="+string(b))
	}
	return env, nil
}

// pid is another container's first process.
func (s *starter) pid(id string) (int, error) {
	if pid, ok := s.pids[id]; ok {
		return pid, nil
	}
	if s.in.Containers == nil {
		return 0, unsupported("container:"+id, "", "there are no other containers")
	}
	cfg, run, err := s.in.Containers(id)
	if err != nil {
		return 0, err
	}
	if run == nil || run.PID == 0 || run.Status != engine.StatusRunning && run.Status != engine.StatusPaused {
		return 0, failed("join namespaces of container", cfg.Name, engine.ErrNotRunning, "the container is not running")
	}
	if s.pids == nil {
		s.pids = map[string]int{}
	}
	s.pids[id] = run.PID
	return run.PID, nil
}

// nsFiles are the names of namespaces in /proc/PID/ns.
var nsFiles = map[specs.LinuxNamespaceType]string{
	specs.NetworkNamespace: "net", specs.PIDNamespace: "pid", specs.IPCNamespace: "ipc", specs.UTSNamespace: "uts",
	specs.CgroupNamespace: "cgroup", specs.UserNamespace: "user",
}

// namespaces finds those of other containers.
func (s *starter) namespaces() error {
	for i, n := range s.oci.Linux.Namespaces {
		id, ok := strings.CutPrefix(n.Path, "container:")
		if !ok {
			continue
		}
		pid, err := s.pid(id)
		if err != nil {
			return err
		}
		s.oci.Linux.Namespaces[i].Path = fmt.Sprintf("/proc/%d/ns/%s", pid, nsFiles[n.Type])
	}
	return nil
}

// shm takes a copy of another container's /dev/shm.
func (s *starter) shm() error {
	for i, m := range s.oci.Mounts {
		id, ok := strings.CutPrefix(m.Source, shmOf)
		if !ok {
			if m.Destination == "/dev/shm" && strings.HasPrefix(m.Source, "/proc/") && strings.HasSuffix(m.Source, "/ns/ipc") {
				// IPCMode ns:PATH: whose /dev/shm belongs to it cannot be told.
				s.oci.Mounts = slices.Delete(s.oci.Mounts, i, i+1)
			}
			continue
		}
		pid, err := s.pid(id)
		if err != nil {
			return err
		}
		tree, err := treeOf(pid, "/dev/shm")
		if err != nil {
			return fmt.Errorf("share /dev/shm of container %s: %w", id, err)
		}
		s.out.Trees[m.Destination] = tree
		s.oci.Mounts[i].Source = filepath.Join(s.in.Dir, "mounts", "shm")
		return nil
	}
	return nil
}

// sources makes, opens and gives away the sources of mounts.
func (s *starter) sources() error {
	for i, m := range s.in.Config.Mounts {
		var tree *os.File
		var err error
		switch {
		case path.Clean(m.Target) == "/":
			return failed("mount volume", m.Name, engine.ErrInvalid, "the image declares its root directory a volume (VOLUME /), and nothing can be mounted there")
		case len(m.Lower) > 0:
			tree, err = s.overlay(m)
		case m.Subpath != "":
			tree, err = subtree(m.Source, m.Subpath)
			if os.IsNotExist(err) {
				return failed("mount volume", m.Name, engine.ErrNotFound, "the volume has no path %s", m.Subpath)
			}
		case m.CreateSource:
			err = os.MkdirAll(m.Source, 0o755)
		}
		if err != nil {
			return fmt.Errorf("mount on %s: %w", m.Target, err)
		}
		if tree != nil {
			s.out.Trees[m.Target] = tree
		}
		if i < len(s.in.Config.Spec.Mounts) && s.in.Config.Spec.Mounts[i].Chown {
			if err := s.chown(m); err != nil {
				return fmt.Errorf("give %s to the container's user: %w", m.Source, err)
			}
		}
	}
	return nil
}

// overlay mounts the layers of an image, or a directory of the host, with a fresh layer on top if it is to be written to.
func (s *starter) overlay(m state.Mount) (*os.File, error) {
	upper, work := "", ""
	if m.Upper != "" {
		dir := filepath.Join(s.in.Dir, m.Upper)
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
		upper, work = filepath.Join(dir, "upper"), filepath.Join(dir, "work")
		for _, d := range []string{upper, work} {
			if err := os.MkdirAll(d, 0o755); err != nil {
				return nil, err
			}
		}
		if info, err := os.Stat(m.Lower[0]); err == nil {
			if err := copyOwner(upper, info); err != nil {
				return nil, err
			}
		}
	}
	return overlayTree(m.Lower, upper, work, len(s.in.Config.UIDMap) > 0 && !s.in.Config.Shifted)
}
