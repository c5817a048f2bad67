package engine

import "strings"

// namespaces checks the form of the namespace modes.
func (v *validator) namespaces(s *Spec) {
	for _, ns := range [...]struct{ option, mode string }{
		{"Spec.PIDMode", s.PIDMode}, {"Spec.IPCMode", s.IPCMode}, {"Spec.UTSMode", s.UTSMode},
		{"Spec.UsernsMode", s.UsernsMode}, {"Spec.CgroupNS", s.CgroupNS}, {"Spec.NetworkMode", s.NetworkMode},
	} {
		mode, value, has := strings.Cut(ns.mode, ":")
		switch {
		case ns.mode == "":
		case mode == "", has && value == "":
			v.add(ns.option, ns.mode, "a side of the colon is empty")
		case mode == "container" && !has:
			v.add(ns.option, ns.mode, "want container:NAME")
		case mode == "ns" && !has, mode == "ns" && !strings.HasPrefix(value, "/"):
			v.add(ns.option, ns.mode, "want ns:PATH with an absolute path")
		case has && (mode == "host" || mode == "private" || mode == "none" || mode == "bridge"):
			v.add(ns.option, ns.mode, mode+" takes nothing after a colon")
		}
	}
	// The kernel has one host name for each UTS namespace, and one /dev/shm for each IPC namespace: of another's, engines
	// refuse the option (Podman) or forget it (Docker).
	v.when(s.Hostname != "" && s.UTSMode == "host", "Spec.Hostname", s.Hostname, "the container has the host's name: UTSMode host excludes it")
	v.when(s.Domainname != "" && s.UTSMode == "host", "Spec.Domainname", s.Domainname, "the container has the host's name: UTSMode host excludes it")
	ipc, _, _ := strings.Cut(s.IPCMode, ":")
	v.when(s.ShmSize > 0 && (ipc == "host" || ipc == "container" || ipc == "none" || ipc == "ns"), "Spec.ShmSize", s.ShmSize,
		"the container has no /dev/shm of its own: IPCMode "+ipc+" excludes it")
}

// network checks networks, ports and names.
func (v *validator) network(s *Spec) {
	mode, _, _ := strings.Cut(s.NetworkMode, ":")
	seen := map[string]bool{}
	for i, e := range s.Networks {
		option := index("Spec.Networks", i)
		v.faults(option, e.check())
		v.when(seen[e.Network], option, e.Network, "the network is given twice")
		seen[e.Network] = true
		v.when(s.NetworkMode != "" && s.NetworkMode != e.Network, option, e.Network, "NetworkMode "+s.NetworkMode+" excludes it")
	}
	v.when(s.NetworkDisabled && len(s.Networks) > 0, "Spec.NetworkDisabled", "", "it excludes Networks")
	v.when(s.NetworkDisabled && mode != "" && mode != "none", "Spec.NetworkDisabled", "", "it excludes NetworkMode")
	v.add("Spec.MACAddress", s.MACAddress, macFault(s.MACAddress))
	if len(s.Networks) > 0 {
		first := s.Networks[0].MACAddress
		v.when(s.MACAddress != "" && first != "" && first != s.MACAddress, "Spec.MACAddress", s.MACAddress, "Networks[0] has another one")
	}

	// A container without a network of its own publishes nothing: Docker drops the ports in silence (docker-py refuses
	// them), Podman with a warning. What is dropped must be an error.
	shared := mode
	switch {
	case s.NetworkDisabled:
		shared = "NetworkDisabled"
	case mode == "host", mode == "none", mode == "container", mode == "ns":
		shared = "NetworkMode " + mode
	default:
		shared = ""
	}
	if shared != "" {
		v.when(len(s.Ports) > 0, "Spec.Ports", "", "the container has no network of its own to publish from: "+shared+" excludes it")
		v.when(s.PublishAllPorts, "Spec.PublishAllPorts", "", "the container has no network of its own to publish from: "+shared+" excludes it")
		v.when(s.MACAddress != "", "Spec.MACAddress", s.MACAddress, "the container has no network of its own: "+shared+" excludes it")
	}
	if mode == "container" {
		const reason = "the files are the other container's: NetworkMode container excludes it"
		v.when(s.Hostname != "", "Spec.Hostname", s.Hostname, reason)
		v.when(len(s.DNS) > 0, "Spec.DNS", "", reason)
		v.when(len(s.DNSOptions) > 0, "Spec.DNSOptions", "", reason)
		v.when(len(s.DNSSearch) > 0, "Spec.DNSSearch", "", reason)
		v.when(len(s.ExtraHosts) > 0, "Spec.ExtraHosts", "", reason)
	}
	v.ports(s)
	for i, a := range s.DNS {
		v.when(!a.IsValid(), index("Spec.DNS", i), "", "it is no IP address")
	}
	v.filled("Spec.DNSOptions", s.DNSOptions)
	v.filled("Spec.DNSSearch", s.DNSSearch)
	for i, h := range s.ExtraHosts {
		_, _, err := ParseExtraHost(h)
		v.err(index("Spec.ExtraHosts", i), h, err)
	}
	for i, l := range s.Links {
		v.add(index("Spec.Links", i), l, linkFault(l))
	}
}
