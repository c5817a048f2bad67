package server

import (
	"errors"
	"os"
	"slices"
	"sync"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/launch"
	"github.com/berthdev/berth/embedded/internal/network"
	"github.com/berthdev/berth/embedded/internal/state"
)

// A start takes the kernel's time for cgroups, a network namespace, a root file system and networks, and needs
// little of what is read and computed for it: all of that is made beside the reading and computing. What
// cannot be made ahead is left to the child, which can, or tells why not.

// ahead is what a start makes beside the rest. What a WaitGroup is for may be read when it has been waited for.
type ahead struct {
	// plain: the first process belongs to our user namespace, as netns and root do. The container's configuration tells that first, and
	// what was asked of the runtime configuration itself can still change it.
	plain bool

	space sync.WaitGroup
	netns *os.File // a network namespace for the first process

	mount   sync.WaitGroup
	overlay *launch.Overlay
	mounts  bool      // it is being mounted
	root    rootMount // overlay, mounted

	dirs   sync.WaitGroup // of the cgroup
	limits sync.WaitGroup // of the cgroup
	failed error          // of limits

	networks sync.WaitGroup
	connects bool  // the container gets its networks ahead, if there is a netns
	joining  error // of networks
}

// makeAhead begins with what follows from cfg alone.
func (m *monitor) makeAhead(r *run, cfg *state.Config) *ahead {
	a := new(ahead)
	a.plain = cfg.Runtime == "" && !m.hello.Rootless && len(cfg.UIDMap)+len(cfg.GIDMap) == 0 && (cfg.Spec.UsernsMode == "" || cfg.Spec.UsernsMode == "host")
	if r.group != nil {
		m.beside(&a.dirs, r.group.Make)
	}
	if !a.plain {
		return a
	}
	if m.ownsNetwork(cfg) {
		m.beside(&a.space, func() { a.netns, _ = network.NewNamespace() })
	}
	a.overlay = m.overlay(cfg, false)
	if a.mounts = a.overlay != nil && launch.MountsOverlay(); a.mounts {
		m.beside(&a.mount, func() { a.root = m.mountRoot(a.overlay) })
	}
	return a
}

// goOn begins with what follows from the runtime configuration.
func (a *ahead) goOn(m *monitor, r *run) {
	l := r.oci.Linux
	if r.group != nil {
		var res *specs.LinuxResources
		if l != nil {
			res = l.Resources
		}
		m.beside(&a.limits, func() {
			a.dirs.Wait()
			if a.failed = r.group.Create(res); a.failed == nil {
				r.groupFD, a.failed = r.group.FD()
			}
			if a.failed == nil {
				m.at("cgroup")
			}
		})
	}
	a.plain = a.plain && l != nil && !slices.ContainsFunc(l.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.UserNamespace })
	if a.connects = a.plain && m.ownsNetwork(r.cfg) && creates(r.oci, specs.NetworkNamespace); a.connects {
		m.beside(&a.networks, func() {
			if a.space.Wait(); a.netns != nil {
				a.joining = m.connect(r, 0, a.netns)
			}
		})
	}
}

// errNotAhead says that something could not be made that was promised.
var errNotAhead = errors.New("not made ahead")

// promise is what the first process can count on. The second time it is what is there.
func (a *ahead) promise(m *monitor, r *run, again bool) *launch.Ahead {
	p := &launch.Ahead{}
	if again {
		p.Network, p.Root = a.connects && a.netns != nil, a.mounts && a.root.tree != nil
	} else if a.plain {
		p.Network, p.Root = a.connects, a.mounts && r.root == nil
	}
	p.Wait = func() (made launch.Made, err error) {
		if made.CgroupFD, err = a.grouped(r); err != nil {
			return made, err
		}
		a.space.Wait()
		a.mount.Wait()
		if made.Network, made.Root = a.netns, a.root.tree; p.Network && made.Network == nil || p.Root && made.Root == nil {
			return made, errNotAhead
		}
		return made, nil
	}
	return p
}

// tasksFiles are those of the cgroup. An ordinary user's are known when it is there.
func (a *ahead) tasksFiles(r *run, rootless bool) []string {
	if a.dirs.Wait(); rootless {
		a.limits.Wait()
	}
	return r.group.TasksFiles()
}

// ownOverlay is the overlay of a container with users of its own, after all: nothing else has it mounted.
func (a *ahead) ownOverlay(m *monitor, r *run) *launch.Overlay {
	a.mount.Wait()
	a.root.close()
	return m.overlay(r.cfg, creates(r.oci, specs.UserNamespace))
}

// grouped waits for the cgroup, and returns a descriptor of its directory of v2; 0 is none.
func (a *ahead) grouped(r *run) (int, error) {
	a.limits.Wait()
	if a.failed != nil || r.groupFD == nil {
		return 0, a.failed
	}
	return int(r.groupFD.Fd()), nil
}

// connected waits until the first process has its networks.
func (a *ahead) connected(m *monitor, r *run, pid int) error {
	if a.networks.Wait(); !a.connects || a.netns == nil {
		return m.connect(r, pid, nil)
	}
	if r.session != nil {
		r.session.Begun(pid)
	}
	return a.joining
}

// close waits for all of it, and closes what the first process has, or will not need any more. What it returns is the root
// file system, which stays.
func (a *ahead) close() rootMount {
	for _, g := range []*sync.WaitGroup{&a.space, &a.mount, &a.dirs, &a.limits, &a.networks} {
		g.Wait()
	}
	a.netns.Close()
	return a.root
}
