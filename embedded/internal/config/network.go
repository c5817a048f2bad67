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

// checkNetwork is about networks, ports and names.
func checkNetwork(f *faults, s *engine.Spec, h Host) {
	mode, err := normal.NetworkMode(s.NetworkMode)
	f.add(err)
	switch mode.Mode {
	case "pod":
		f.unsupported(true, "Spec.NetworkMode", s.NetworkMode, "it has no pods")
	case "pasta", "slirp4netns":
		f.unsupported(!h.Rootless, "Spec.NetworkMode", s.NetworkMode, "it is for rootless engines")
		f.unsupported(len(mode.Options) > 0, "Spec.NetworkMode", s.NetworkMode, "it takes no options")
	case "network":
		f.unsupported(h.Rootless, "Spec.NetworkMode", s.NetworkMode, "a rootless engine has no networks of its own")
	}
	if h.Rootless {
		checkRootlessNetwork(f, s, h, mode.Mode)
	}
	for i, e := range s.Networks {
		f.unsupported(h.Rootless, at("Spec.Networks", i), e.Network, "a rootless engine has no networks of its own")
	}
	f.unsupported(h.Rootless && len(s.Links) > 0, "Spec.Links", "", "a rootless engine has no networks of its own")
	shared := mode.Mode == "host" || mode.Mode == "none" || mode.Mode == "container" || mode.Mode == "ns" || s.NetworkDisabled
	f.invalid(shared && len(s.Links) > 0, "Spec.Links", "", "the container has no network of its own: NetworkMode "+s.NetworkMode+" excludes it")
	f.invalid(shared && s.MACAddress != "", "Spec.MACAddress", s.MACAddress, "the container has no network of its own: NetworkMode "+s.NetworkMode+" excludes it")
	for i, p := range s.Ports {
		list, err := p.Expand()
		f.add(err)
		for _, m := range list {
			f.unsupported(m.Protocol != "tcp" && m.Protocol != "udp" && m.Protocol != "sctp", at("Spec.Ports", i), p.String(), "")
		}
	}
}

// checkRootlessNetwork wants a program that gives an ordinary user's container a network, where it shall have one.
func checkRootlessNetwork(f *faults, s *engine.Spec, h Host, mode string) {
	switch mode {
	case "bridge":
		f.unsupported(true, "Spec.NetworkMode", s.NetworkMode, "a rootless engine has no bridges: leave it out for a network through pasta or slirp4netns, or use none or host")
	case "pasta", "slirp4netns":
		f.needs(!slices.Contains(h.NetworkHelpers, mode), "Spec.NetworkMode", s.NetworkMode, "the program "+mode)
	case "", "default", "private":
		f.unsupported(len(h.NetworkHelpers) == 0 && !s.NetworkDisabled, "Spec.NetworkMode", s.NetworkMode,
			"a rootless container gets its network from pasta or slirp4netns, and neither is in PATH: install one (packages passt, slirp4netns), or use none or host")
	case "none", "host":
		f.invalid(len(s.Ports) > 0, "Spec.Ports", "", "the container has no network of its own whose ports could be published: NetworkMode "+mode+" excludes it")
	}
}

// network sets where the container's network comes from, its endpoints and its ports.
func (b *builder) network() error {
	s, cfg := b.s, b.cfg
	mode, err := normal.NetworkMode(s.NetworkMode)
	if err != nil {
		return err
	}
	cfg.Networks = []state.Endpoint{}
	name := ""
	switch mode.Mode {
	case "host":
		cfg.Netns = "host"
	case "none":
		cfg.Netns = "none"
	case "ns":
		cfg.Netns = "path:" + mode.Value
		if b.h.Rootless {
			if b.netOther, err = b.ofNamespace(specs.NetworkNamespace, "Spec.NetworkMode", mode.Value); err != nil {
				return err
			}
			cfg.Netns = "container:" + b.netOther.ID
		}
	case "container":
		if b.netOther, err = b.other("Spec.NetworkMode", mode.Value); err != nil {
			return err
		}
		if b.netOther.ID == b.in.ID {
			return invalid("Spec.NetworkMode", s.NetworkMode, "it is the container itself")
		}
		cfg.Netns = "container:" + b.netOther.ID
	case "network":
		name = mode.Value
	default:
		name = b.in.DefaultNetwork
	}
	if s.NetworkDisabled {
		cfg.Netns = "none"
	}
	if cfg.Netns == "" && b.h.Rootless {
		helper := mode.Mode
		if !slices.Contains(b.h.NetworkHelpers, helper) && len(b.h.NetworkHelpers) > 0 {
			helper = b.h.NetworkHelpers[0]
		}
		cfg.Networks = append(cfg.Networks, state.Endpoint{Endpoint: engine.Endpoint{Network: helper, MACAddress: s.MACAddress}})
	} else if cfg.Netns == "" {
		b.endpoints(name, mode.Mode)
		if err := b.links(); err != nil {
			return err
		}
	}
	return b.ports()
}

// endpoints lists the container's places in networks.
func (b *builder) endpoints(name, mode string) {
	list := slices.Clone(b.s.Networks)
	if len(list) == 0 && mode != "pasta" && mode != "slirp4netns" && name != "" {
		list = []engine.Endpoint{{Network: name}}
	}
	for i, e := range list {
		if i == 0 && b.s.MACAddress != "" {
			e.MACAddress = b.s.MACAddress
		}
		if e.Network == "default" || e.Network == "private" {
			e.Network = b.in.DefaultNetwork
		}
		b.cfg.Networks = append(b.cfg.Networks, state.Endpoint{Endpoint: e})
	}
}

// links requires that the containers exist which the container is linked to.
func (b *builder) links() error {
	all := slices.Clone(b.s.Links)
	for _, e := range b.cfg.Networks {
		all = append(all, e.Links...)
	}
	for _, l := range all {
		name, _, _ := strings.Cut(l, ":")
		if _, err := b.other("Spec.Links", name); err != nil {
			return err
		}
	}
	return nil
}

// ports sets what is exposed, by the image too, and what of it is published.
func (b *builder) ports() error {
	exposed := map[string]engine.PortMapping{}
	for _, list := range [][]string{b.cfg.ImageConfig.ExposedPorts, b.s.Expose} {
		for _, e := range list {
			ports, err := engine.ExpandExpose(e)
			if err != nil {
				return err
			}
			for _, p := range ports {
				exposed[portKey(p)] = p
			}
		}
	}
	b.cfg.Ports = []engine.PortMapping{}
	published := map[string]bool{}
	for _, p := range b.s.Ports {
		list, err := p.Expand()
		if err != nil {
			return err
		}
		for _, m := range list {
			published[portKey(m)] = true
			exposed[portKey(m)] = m
			b.cfg.Ports = append(b.cfg.Ports, m)
		}
	}
	b.cfg.Exposed = sortedPorts(exposed)
	if b.s.PublishAllPorts {
		for _, key := range b.cfg.Exposed {
			if p := exposed[key]; !published[key] {
				b.cfg.Ports = append(b.cfg.Ports, engine.PortMapping{ContainerPort: p.ContainerPort, Protocol: p.Protocol})
			}
		}
	}
	return nil
}

func portKey(p engine.PortMapping) string { return fmt.Sprintf("%d/%s", p.ContainerPort, p.Protocol) }

// sortedPorts are the keys by number, then protocol.
func sortedPorts(m map[string]engine.PortMapping) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		x, y := m[a], m[b]
		if d := int(x.ContainerPort) - int(y.ContainerPort); d != 0 {
			return d
		}
		return strings.Compare(x.Protocol, y.Protocol)
	})
	return keys
}

// netNS is the network's namespace as the mode of a namespace option.
func (b *builder) netNS() string {
	mode, value, _ := strings.Cut(b.cfg.Netns, ":")
	switch mode {
	case "host":
		return "host"
	case "container":
		return "container:" + value
	case "path":
		return "ns:" + value
	}
	return "private"
}

// hostnameOf is the host name of another container.
func hostnameOf(c *state.Config) string {
	if c.Spec.Hostname != "" {
		return c.Spec.Hostname
	}
	if c.Netns == "host" {
		if name, err := os.Hostname(); err == nil {
			return name
		}
	}
	return c.ID[:min(12, len(c.ID))]
}
