//go:build linux

package config

import (
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

// propagations are those of mounts.
var propagations = map[string]bool{"private": true, "rprivate": true, "shared": true, "rshared": true, "slave": true, "rslave": true}

// checkMount refuses mounts that Linux does not have, and what a type has not.
func checkMount(f *faults, at string, m engine.Mount, h Host) {
	switch m.Type {
	case engine.MountBind, engine.MountVolume, engine.MountTmpfs, engine.MountImage, engine.MountRamfs, engine.MountDevpts, engine.MountOverlay:
	default:
		f.unsupported(true, at+".Type", string(m.Type), "")
		return
	}
	f.unsupported(m.Relabel != "" && h.SELinux, at+".Relabel", m.Relabel, "it sets no SELinux labels")
	f.invalid(m.Propagation != "" && !propagations[m.Propagation], at+".Propagation", m.Propagation, "there is no such propagation")
	f.unsupported(m.Driver != "" && m.Driver != "local", at+".Driver", m.Driver, "it has local volumes only")
	f.unsupported(m.Chown && m.Type != engine.MountBind && m.Type != engine.MountVolume, at+".Chown", "", "it is for binds and volumes")
	f.unsupported(m.Size != 0 && m.Type == engine.MountRamfs, at+".Size", m.Size.String(), "the kernel's ramfs has no limit")
	if m.Type == engine.MountTmpfs || m.Type == engine.MountRamfs || m.Type == engine.MountDevpts {
		for _, o := range m.Options {
			f.unsupported(o == "tmpcopyup", at+".Options", o, "")
		}
		return
	}
	for _, o := range m.Options {
		switch {
		case m.Type == engine.MountImage && o == "rw", o == "ro":
		case m.Type == engine.MountBind && slices.Contains(bindOptions, o):
		default:
			f.unsupported(true, at+".Options", o, "a mount of type "+string(m.Type)+" has no such option")
		}
	}
}

// bindOptions are the options of a bind that restrict it: the kernel has them for each mount.
var bindOptions = []string{"noexec", "nosuid", "nodev", "exec", "suid", "dev", "noatime", "nodiratime", "relatime"}

// add adds a mount.
func (b *builder) add(m specs.Mount) {
	m.Destination = path.Clean(m.Destination)
	b.mounts = append(b.mounts, m)
}

// taken says that something is mounted at target already, apart from the usual file systems.
func (b *builder) taken(target string) bool {
	return slices.ContainsFunc(b.mounts, func(m specs.Mount) bool { return m.Destination == target })
}

// record adds a mount, and what inspect shows of it.
func (b *builder) record(m specs.Mount, r state.Mount) {
	r.Target = path.Clean(r.Target)
	b.add(m)
	b.cfg.Mounts = append(b.cfg.Mounts, r)
}

// allMounts sets Spec.Mounts of the OCI configuration. What comes first wins a place.
func (b *builder) allMounts() error {
	b.cfg.Mounts = []state.Mount{}
	for i, m := range b.s.Mounts {
		if err := b.mount(at("Spec.Mounts", i), m); err != nil {
			return err
		}
	}
	if err := b.volumesFrom(); err != nil {
		return err
	}
	if err := b.imageVolumes(); err != nil {
		return err
	}
	b.readWriteTmpfs()
	if err := b.networkFiles(); err != nil {
		return err
	}
	if err := b.secrets(); err != nil {
		return err
	}
	if err := b.timezone(); err != nil {
		return err
	}
	if err := b.cdi(); err != nil {
		return err
	}
	if b.s.ShmSize > 0 && (b.taken("/dev/shm") || b.taken("/dev")) {
		return invalid("Spec.ShmSize", b.s.ShmSize.String(), "a mount is in the place of /dev/shm")
	}
	b.oci.Mounts = b.ordered()
	return nil
}

// mount adds a mount of the Spec.
func (b *builder) mount(at string, m engine.Mount) error {
	switch m.Type {
	case engine.MountBind:
		return b.bind(at, m)
	case engine.MountVolume:
		return b.volume(m)
	case engine.MountTmpfs, engine.MountRamfs, engine.MountDevpts:
		b.memory(m)
	case engine.MountImage:
		return b.imageMount(at, m)
	case engine.MountOverlay:
		return b.overlay(at, m)
	}
	return nil
}

// ordered are the usual file systems, without those that others replace, and the others, those nearest to the root first.
func (b *builder) ordered() []specs.Mount {
	own := slices.Clone(b.mounts)
	depth := func(m specs.Mount) int { return strings.Count(m.Destination, "/") }
	slices.SortStableFunc(own, func(x, y specs.Mount) int { return depth(x) - depth(y) })
	list := slices.DeleteFunc(b.systemMounts(), func(m specs.Mount) bool {
		return b.taken(m.Destination) || strings.HasPrefix(m.Destination, "/dev/") && b.taken("/dev") ||
			strings.HasPrefix(m.Destination, "/sys/") && b.taken("/sys")
	})
	return append(list, own...)
}

// systemMounts are the file systems of every container (moby, oci/defaults.go).
func (b *builder) systemMounts() []specs.Mount {
	ro := []string{"ro"}
	if b.s.Privileged {
		ro = nil
	}
	cgroup := ro
	if deref(b.sec.WritableCgroups) {
		cgroup = nil
	}
	sys := specs.Mount{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: append([]string{"nosuid", "noexec", "nodev"}, ro...)}
	if b.has(specs.UserNamespace) && !b.owns(specs.NetworkNamespace) {
		// The kernel lets only the owner of the network namespace mount sysfs.
		sys = specs.Mount{Destination: "/sys", Type: "bind", Source: "/sys", Options: []string{"rbind", "rslave", "nosuid", "noexec", "nodev", b.readOnlyOption()}}
	}
	proc := specs.Mount{Destination: "/proc", Type: "proc", Source: "proc", Options: append([]string{"nosuid", "noexec", "nodev"}, b.sec.ProcOpts...)}
	if b.has(specs.UserNamespace) && !b.has(specs.PIDNamespace) {
		// Likewise the owner of the PID namespace.
		proc.Type, proc.Source, proc.Options = "bind", "/proc", []string{"rbind", "rprivate", "nosuid", "noexec", "nodev"}
	}
	mqueue := specs.Mount{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}}
	if b.has(specs.UserNamespace) && b.s.IPCMode == "host" {
		// Likewise the owner of the IPC namespace.
		mqueue.Type, mqueue.Source, mqueue.Options = "bind", "/dev/mqueue", []string{"rbind", "rprivate", "nosuid", "noexec", "nodev"}
	}
	devpts := []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}
	if !b.has(specs.UserNamespace) || b.mapped(b.cfg.GIDMap, 5) {
		devpts = append(devpts, "gid=5")
	}
	list := []specs.Mount{
		proc,
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: devpts},
		sys,
		{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: append([]string{"nosuid", "noexec", "nodev"}, cgroup...)},
	}
	if _, err := os.Stat("/dev/mqueue"); mqueue.Type != "bind" || err == nil {
		list = append(list, mqueue)
	}
	if shm, ok := b.shm(); ok {
		list = append(list, shm)
	}
	return list
}

func (b *builder) mapped(m []engine.IDMap, id uint32) bool {
	return slices.ContainsFunc(m, func(r engine.IDMap) bool { return id >= r.ContainerID && id-r.ContainerID < r.Size })
}

// shmOf is the start of the source of a /dev/shm that is another container's: StartSpec puts it in place.
const shmOf = "container:"

// defaultShm is Docker's.
const defaultShm = 64 * engine.MiB

// shm is /dev/shm: it belongs to the IPC namespace.
func (b *builder) shm() (specs.Mount, bool) {
	m := specs.Mount{Destination: "/dev/shm", Type: "bind", Options: []string{"rbind", "rprivate"}}
	switch mode, _, _ := strings.Cut(b.s.IPCMode, ":"); mode {
	case "none":
		return m, false
	case "host":
		m.Source = "/dev/shm"
	case "container":
		for _, n := range b.oci.Linux.Namespaces {
			if n.Type == specs.IPCNamespace {
				m.Source = n.Path
			}
		}
	default:
		size := b.s.ShmSize
		if size == 0 {
			size = defaultShm
		}
		m.Type, m.Source = "tmpfs", "shm"
		m.Options = []string{"nosuid", "noexec", "nodev", "mode=1777", fmt.Sprintf("size=%d", size)}
	}
	return m, true
}

// readOnlyOption makes a bind read-only, with all below it where the kernel can.
func (b *builder) readOnlyOption() string {
	if b.h.RecursiveReadOnly {
		return "rro"
	}
	return "ro"
}

// readWriteTmpfs are the places of a read-only container that Podman makes writable.
func (b *builder) readWriteTmpfs() {
	if !b.s.ReadOnly || !deref(b.s.ReadWriteTmpfs) {
		return
	}
	for _, target := range []string{"/run", "/tmp", "/var/tmp"} {
		if !b.taken(target) {
			b.add(specs.Mount{Destination: target, Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "nodev", "mode=1777"}})
		}
	}
}

// memory adds a tmpfs, ramfs or devpts.
func (b *builder) memory(m engine.Mount) {
	opts := []string{"nosuid", "nodev", "noexec"}
	switch {
	case m.Type == engine.MountDevpts:
		opts = []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666"}
		if m.Mode != nil {
			opts = append(opts, fmt.Sprintf("mode=%o", *m.Mode))
		}
	case m.Mode != nil || !slices.ContainsFunc(m.Options, func(o string) bool { return strings.HasPrefix(o, "mode=") }):
		mode := uint32(0o1777)
		if m.Mode != nil {
			mode = uint32(*m.Mode)
		}
		opts = append(opts, fmt.Sprintf("mode=%o", mode))
	}
	if m.Size > 0 {
		opts = append(opts, fmt.Sprintf("size=%d", m.Size))
	}
	if m.ReadOnly {
		opts = append(opts, "ro")
	}
	rw := !m.ReadOnly
	for _, o := range m.Options {
		rw = o != "ro" && (rw || o == "rw")
		opts = append(opts, o)
	}
	b.record(specs.Mount{Destination: m.Target, Type: string(m.Type), Source: string(m.Type), Options: opts},
		state.Mount{MountPoint: engine.MountPoint{Type: m.Type, Target: m.Target, ReadWrite: rw, Options: m.Options}})
}

// treePath is where an external runtime finds what launch is given as a detached tree.
func (b *builder) treePath() string {
	return filepath.Join(b.in.Dir, "mounts", itoa(len(b.cfg.Mounts)))
}
