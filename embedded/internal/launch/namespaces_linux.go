package launch

import (
	"fmt"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// namespaceFlags are the namespaces by their OCI names. Time namespaces are not among them.
var namespaceFlags = []struct {
	typ  specs.LinuxNamespaceType
	flag uintptr
	file string // in /proc/PID/ns
}{
	{specs.UserNamespace, unix.CLONE_NEWUSER, "user"},
	{specs.CgroupNamespace, unix.CLONE_NEWCGROUP, "cgroup"},
	{specs.IPCNamespace, unix.CLONE_NEWIPC, "ipc"},
	{specs.UTSNamespace, unix.CLONE_NEWUTS, "uts"},
	{specs.NetworkNamespace, unix.CLONE_NEWNET, "net"},
	{specs.PIDNamespace, unix.CLONE_NEWPID, "pid"},
	{specs.MountNamespace, unix.CLONE_NEWNS, "mnt"},
}

// spaces are the namespaces of a process to start. Those that are in neither are the caller's.
type spaces struct {
	create uintptr // CLONE_NEW… flags
	join   []joined
	net    bool // a network namespace is made for the process, which enters it
}

// joined is a namespace that exists.
type joined struct {
	flag uintptr
	path string
}

// namespaces reads Spec.Linux.Namespaces.
func namespaces(list []specs.LinuxNamespace) (spaces, error) {
	var s spaces
	var seen uintptr
	for _, ns := range list {
		flag := uintptr(0)
		for _, f := range namespaceFlags {
			if f.typ == ns.Type {
				flag = f.flag
			}
		}
		switch {
		case flag == 0:
			return s, unsupported("linux.namespaces", string(ns.Type), "")
		case seen&flag != 0:
			return s, invalid("linux.namespaces", fmt.Sprintf("%s is there twice", ns.Type))
		case ns.Path == "":
			s.create |= flag
		case flag == unix.CLONE_NEWNS:
			return s, unsupported("linux.namespaces", "mount", "a container has a mount namespace of its own")
		default:
			s.join = append(s.join, joined{flag, ns.Path})
		}
		seen |= flag
	}
	if s.create&unix.CLONE_NEWNS == 0 {
		return s, invalid("linux.namespaces", "a mount namespace is needed")
	}
	return s, nil
}

// has says that the process is in another namespace than the caller, of this kind.
func (s spaces) has(flag uintptr) bool {
	return s.create&flag != 0 || s.joins(flag) || flag == unix.CLONE_NEWNET && s.net
}

func (s spaces) joins(flag uintptr) bool {
	for _, j := range s.join {
		if j.flag == flag {
			return true
		}
	}
	return false
}

// forks says that one clone cannot do it. A pid namespace that is joined or unshared
// holds only children; a user namespace that is joined must be entered before the
// others are made in it; and namespaces of the host can be joined only before
// entering a new user namespace.
func (s spaces) forks() bool {
	return s.joins(unix.CLONE_NEWPID) || s.joins(unix.CLONE_NEWUSER) || s.create&unix.CLONE_NEWUSER != 0 && len(s.join) > 0
}

// enter adds the steps that enter the namespaces: those that clone has not made.
func (b *builder) enter(s spaces) {
	if len(s.join) > 0 {
		b.joinAll(s.join)
	}
	if s.net {
		fd := b.delayedFD("the network namespace", func() (int, error) { return duplicate(b.made.Network) })
		b.add("enter the network namespace", "setns", fd, num(unix.CLONE_NEWNET))
	}
	if !b.staged {
		if s.create&unix.CLONE_NEWCGROUP != 0 {
			b.add("make the cgroup namespace", "unshare", num(unix.CLONE_NEWCGROUP))
		}
		return
	}
	if s.create != 0 {
		b.add("make the namespaces", "unshare", num(s.create))
	}
}

// joinAll joins namespaces by path. With privilege the user namespace is the last
// one: the others may belong to the host's. Without, it is the first: it gives the
// right to join the others.
func (b *builder) joinAll(list []joined) {
	var user []joined
	var rest []joined
	for _, j := range list {
		if j.flag == unix.CLONE_NEWUSER {
			user = append(user, j)
		} else {
			rest = append(rest, j)
		}
	}
	if b.privileged {
		list = append(rest, user...)
	} else {
		list = append(user, rest...)
	}
	for _, j := range list {
		fd := b.parentFD("namespace "+j.path, func() (int, error) {
			return unix.Open(j.path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		})
		b.add("join the namespace "+j.path, "setns", fd, num(j.flag))
	}
}

// differing are the namespaces of process pid that are not this thread's, as flags.
func differing(pid int) (uintptr, error) {
	var flags uintptr
	for _, f := range namespaceFlags {
		ours, err := os.Readlink("/proc/thread-self/ns/" + f.file)
		if err != nil {
			return 0, err
		}
		theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, f.file))
		if err != nil {
			return 0, err
		}
		if ours != theirs {
			flags |= f.flag
		}
	}
	return flags, nil
}
