//go:build linux

package config

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// checkNamespaces knows what a namespace option may be beside "", host, private, container:NAME and ns:PATH.
func checkNamespaces(f *faults, s *engine.Spec, h Host) {
	for _, ns := range []struct {
		option, mode string
		words        []string
	}{
		{"Spec.PIDMode", s.PIDMode, nil},
		{"Spec.IPCMode", s.IPCMode, []string{"shareable", "none"}},
		{"Spec.UTSMode", s.UTSMode, nil},
		{"Spec.CgroupNS", s.CgroupNS, nil},
		{"Spec.UsernsMode", s.UsernsMode, []string{"auto", "keep-id", "nomap"}},
	} {
		mode, err := normal.Namespace(ns.option, ns.mode)
		f.add(err)
		if err != nil {
			continue
		}
		switch m := mode.Mode; {
		case m == "pod":
			f.unsupported(true, ns.option, ns.mode, "it has no pods")
		case slices.Contains([]string{"", "host", "private", "container", "ns"}, m), slices.Contains(ns.words, m):
		default:
			f.invalid(true, ns.option, ns.mode, "there is no such mode")
		}
		f.unsupported(ns.option == "Spec.UsernsMode" && (mode.Mode == "ns" || mode.Mode == "container"), ns.option, ns.mode, "")
	}
	checkUserns(f, s, h)
}

// checkUserns is about user namespaces: a rootless container always has one.
func checkUserns(f *faults, s *engine.Spec, h Host) {
	mode, err := normal.Namespace("Spec.UsernsMode", s.UsernsMode)
	if err != nil {
		return
	}
	maps := s.Podman != nil && s.Podman.IDMappings != nil && len(s.Podman.IDMappings.UIDMap)+len(s.Podman.IDMappings.GIDMap) > 0
	switch mode.Mode {
	case "", "host":
		f.invalid(maps, "Spec.Podman.IDMappings", "", "it needs UsernsMode private")
	case "private", "auto":
		f.invalid(maps && (len(s.Podman.IDMappings.UIDMap) == 0 || len(s.Podman.IDMappings.GIDMap) == 0), "Spec.Podman.IDMappings", "", "users and groups both need a map")
		f.invalid(maps && mode.Mode == "auto", "Spec.Podman.IDMappings", "", "it needs UsernsMode private")
		f.unsupported(maps && h.Rootless, "Spec.Podman.IDMappings", "", "a rootless engine has the IDs that it was given")
		f.unsupported(mode.Value != "", "Spec.UsernsMode", s.UsernsMode, "it takes no options")
		f.needs(!h.Rootless && !h.IDMappedLayers, "Spec.UsernsMode", s.UsernsMode, "Linux 6.15, which mounts layers with shifted owners")
		f.unsupported(s.Privileged && !h.Rootless, "Spec.UsernsMode", s.UsernsMode, "a privileged container has the host's user namespace")
	case "keep-id":
		f.unsupported(!h.Rootless, "Spec.UsernsMode", s.UsernsMode, "only a rootless engine has a user to keep")
		_, _, err := kept(mode.Value, h)
		f.add(err)
		f.invalid(maps, "Spec.Podman.IDMappings", "", "it needs UsernsMode private")
	case "nomap":
		f.unsupported(true, "Spec.UsernsMode", s.UsernsMode, "")
	}
}

// namespaceOf is a namespace of the container, and false for the host's. That of another container has
// the path "container:ID", which is no path: StartSpec puts one in its place.
func (b *builder) namespaceOf(typ specs.LinuxNamespaceType, option, mode string) (specs.LinuxNamespace, bool, error) {
	ns := specs.LinuxNamespace{Type: typ}
	m, err := normal.Namespace(option, mode)
	if err != nil {
		return ns, false, err
	}
	switch m.Mode {
	case "host":
		return ns, false, nil
	case "ns":
		ns.Path = m.Value
		if b.h.Rootless {
			other, err := b.ofNamespace(typ, option, m.Value)
			if err != nil {
				return ns, false, err
			}
			ns.Path = "container:" + other.ID
		}
	case "container":
		other, err := b.other(option, m.Value)
		if err != nil {
			return ns, false, err
		}
		if err := b.mayShare(option, typ, other.Spec); err != nil {
			return ns, false, err
		}
		ns.Path = "container:" + other.ID
	}
	return ns, true, nil
}

// ofNamespace is the container that a namespace belongs to: an ordinary user may join those of his containers, by way of their user
// namespaces, and no others.
func (b *builder) ofNamespace(typ specs.LinuxNamespaceType, option, path string) (*state.Config, error) {
	var pid int
	var file string
	if _, err := fmt.Sscanf(path, "/proc/%d/ns/%s", &pid, &file); err == nil && file == nsFiles[typ] && b.in.FirstProcess != nil {
		if other, err := b.in.FirstProcess(pid); err != nil || other != nil {
			return other, err
		}
	}
	return nil, unsupported(option, "ns:"+path, "without root only namespaces of this engine's running containers can be joined, by /proc/PID/ns/"+nsFiles[typ]+" of a container's first process")
}

// mayShare: Docker lets others into an IPC namespace only where it is shareable.
func (b *builder) mayShare(option string, typ specs.LinuxNamespaceType, other engine.Spec) error {
	if typ != specs.IPCNamespace {
		return nil
	}
	mode, _, _ := strings.Cut(other.IPCMode, ":")
	if mode == "shareable" || mode == "host" || mode == "ns" || mode == "container" {
		return nil
	}
	return invalid(option, b.s.IPCMode, "the other container's IPC namespace is not shareable: it needs IPCMode shareable")
}

// namespaces sets them all but the user namespace's maps.
func (b *builder) namespaces() error {
	s := b.s
	cgroupNS := s.CgroupNS
	if cgroupNS == "" {
		cgroupNS = "host" // Docker's default with cgroup v1
		if b.h.CgroupV2 {
			cgroupNS = "private"
		}
	}
	list := []specs.LinuxNamespace{{Type: specs.MountNamespace}}
	for _, n := range []struct {
		typ          specs.LinuxNamespaceType
		option, mode string
	}{
		{specs.NetworkNamespace, "Spec.NetworkMode", b.netNS()},
		{specs.UTSNamespace, "Spec.UTSMode", s.UTSMode},
		{specs.PIDNamespace, "Spec.PIDMode", s.PIDMode},
		{specs.IPCNamespace, "Spec.IPCMode", s.IPCMode},
		{specs.CgroupNamespace, "Spec.CgroupNS", cgroupNS},
	} {
		ns, own, err := b.namespaceOf(n.typ, n.option, n.mode)
		if err != nil {
			return err
		}
		if own {
			list = append(list, ns)
		}
	}
	if err := b.userns(); err != nil {
		return err
	}
	if len(b.oci.Linux.UIDMappings) > 0 {
		user := specs.LinuxNamespace{Type: specs.UserNamespace}
		if b.h.Rootless {
			var err error
			if user.Path, err = userOfShared(list); err != nil {
				return err
			}
			if user.Path != "" {
				if err := b.shareUsers(user.Path); err != nil {
					return err
				}
				b.oci.Linux.UIDMappings, b.oci.Linux.GIDMappings = nil, nil
			}
		}
		list = append(list, user)
	}
	b.oci.Linux.Namespaces = list
	return b.renumber()
}

// shareUsers takes the maps of the container whose user namespace this one has.
func (b *builder) shareUsers(path string) error {
	other, err := b.other("Spec.UsernsMode", strings.TrimPrefix(path, "container:"))
	if err != nil {
		return err
	}
	same := slices.Equal(other.UIDMap, b.cfg.UIDMap) && slices.Equal(other.GIDMap, b.cfg.GIDMap)
	if mode, _, _ := strings.Cut(b.s.UsernsMode, ":"); mode == "keep-id" && !same {
		return unsupported("Spec.UsernsMode", b.s.UsernsMode, "the container whose namespaces it shares, and with them its users, has other users")
	}
	b.cfg.UIDMap, b.cfg.GIDMap = other.UIDMap, other.GIDMap
	return nil
}

// userOfShared is where an ordinary user's container gets its user namespace from: the container whose other namespaces it
// shares, since these belong to it; "" is a new one.
func userOfShared(list []specs.LinuxNamespace) (string, error) {
	found := ""
	for _, ns := range list {
		if !strings.HasPrefix(ns.Path, "container:") {
			continue
		}
		if found != "" && found != ns.Path {
			return "", unsupported("Spec.PIDMode", ns.Path, "a rootless container shares the namespaces of one other container")
		}
		found = ns.Path
	}
	return found, nil
}

// has says that the container has a namespace of this type that is not the host's.
func (b *builder) has(typ specs.LinuxNamespaceType) bool {
	return slices.ContainsFunc(b.oci.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == typ })
}

// owns says that the container has a new namespace of this type.
func (b *builder) owns(typ specs.LinuxNamespaceType) bool {
	return slices.ContainsFunc(b.oci.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == typ && n.Path == "" })
}

// names sets host and domain name.
func (b *builder) names() error {
	s := b.s
	var err error
	if b.hostname, err = b.hostName(); err != nil {
		return err
	}
	if b.owns(specs.UTSNamespace) {
		b.oci.Hostname = b.hostname
		if s.Domainname != "" {
			// A sysctl, because runtimes before OCI 1.1 do not know the field.
			b.sysctl("kernel.domainname", s.Domainname)
		}
		return nil
	}
	const reason = "the container has no UTS namespace of its own"
	f := &faults{}
	f.invalid(s.Hostname != "", "Spec.Hostname", s.Hostname, reason)
	f.invalid(s.Domainname != "", "Spec.Domainname", s.Domainname, reason)
	return f.err()
}

// hostName is the Spec's, else that of the container whose network or UTS namespace it has, else the host's in the host's, else
// the start of the container's ID.
func (b *builder) hostName() (string, error) {
	s := b.s
	ref, isContainer := strings.CutPrefix(s.UTSMode, "container:")
	switch {
	case s.Hostname != "":
		return s.Hostname, nil
	case isContainer:
		other, err := b.other("Spec.UTSMode", ref)
		if err != nil {
			return "", err
		}
		return hostnameOf(other), nil
	case b.netOther != nil:
		return hostnameOf(b.netOther), nil
	case s.UTSMode == "host", b.cfg.Netns == "host":
		return os.Hostname()
	}
	return b.in.ID[:min(12, len(b.in.ID))], nil
}

func (b *builder) sysctl(key, value string) {
	if b.oci.Linux.Sysctl == nil {
		b.oci.Linux.Sysctl = map[string]string{}
	}
	b.oci.Linux.Sysctl[key] = value
}
