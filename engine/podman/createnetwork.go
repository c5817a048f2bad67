package podman

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// networks sets the network's namespace, the networks, ports and names.
func (e *Engine) networks(r *refusals, b *wireCreate, s *engine.Spec) {
	e.networkMode(r, b, s)
	e.endpoints(r, b, s)
	for i, p := range s.Ports {
		list, err := p.Expand()
		r.add(err)
		for _, m := range list {
			if m.HostPortEnd != 0 {
				r.unsupported(fmt.Sprintf("Spec.Ports[%d].Host", i), p.Host, "Podman does not choose a port out of a range")
			}
			w := wirePort{ContainerPort: m.ContainerPort, HostPort: m.HostPort, Protocol: m.Protocol}
			if m.HostIP.IsValid() {
				w.HostIP = m.HostIP.String()
			}
			b.PortMappings = addPort(b.PortMappings, w)
		}
	}
	for _, p := range s.Expose {
		list, err := engine.ExpandExpose(p)
		r.add(err)
		for _, m := range list {
			if old := b.Expose[m.ContainerPort]; old == "" {
				setKey(&b.Expose, m.ContainerPort, m.Protocol)
			} else if !slices.Contains(strings.Split(old, ","), m.Protocol) {
				b.Expose[m.ContainerPort] = old + "," + m.Protocol
			}
		}
	}
	b.PublishImagePorts = s.PublishAllPorts
	for _, a := range s.DNS {
		b.DNSServer = append(b.DNSServer, a.String())
	}
	b.DNSOption, b.DNSSearch = s.DNSOptions, s.DNSSearch
	for i, h := range s.ExtraHosts {
		name, addr, err := engine.ParseExtraHost(h)
		r.add(err)
		r.needs(addr == "host-gateway", vHostGateway, fmt.Sprintf("Spec.ExtraHosts[%d]", i))
		b.HostAdd = append(b.HostAdd, name+":"+addr)
	}
}

// addPort appends a port, to the range of the one before it where it continues that.
func addPort(list []wirePort, p wirePort) []wirePort {
	if n := len(list); n > 0 {
		last := &list[n-1]
		size := max(last.Range, 1)
		if last.HostPort != 0 && last.Protocol == p.Protocol && last.HostIP == p.HostIP && last.ContainerPort+size == p.ContainerPort && last.HostPort+size == p.HostPort && p.HostPort != 0 {
			last.Range = size + 1
			return list
		}
	}
	return append(list, p)
}

func (e *Engine) networkMode(r *refusals, b *wireCreate, s *engine.Spec) {
	mode, err := normal.NetworkMode(s.NetworkMode)
	r.add(err)
	switch mode.Mode {
	case "":
		if s.NetworkDisabled {
			b.NetNS = &wireNS{Mode: "none"}
		} else if len(s.Networks) > 0 || s.MACAddress != "" {
			b.NetNS = &wireNS{Mode: "bridge"} // the default of a rootless engine is another
		}
	case "network":
		b.NetNS = &wireNS{Mode: "bridge"}
		setKey(&b.Networks, mode.Value, wireNetworkOptions{})
	case "container":
		b.NetNS = &wireNS{Mode: "container", Value: strings.TrimPrefix(mode.Value, "/")}
	case "ns":
		b.NetNS = &wireNS{Mode: "path", Value: mode.Value}
	case "pasta", "slirp4netns":
		r.when(mode.Mode == "slirp4netns" && e.version >= vNoSlirp, "Spec.NetworkMode", s.NetworkMode, "it is gone from Podman: use pasta")
		r.when(!e.rootless() && mode.Mode == "pasta", "Spec.NetworkMode", s.NetworkMode, "it is for rootless engines")
		b.NetNS = &wireNS{Mode: mode.Mode}
		if len(mode.Options) > 0 {
			setKey(&b.NetworkOptions, mode.Mode, mode.Options)
		}
	default:
		b.NetNS = &wireNS{Mode: mode.Mode}
	}
}

// defaultNetwork is libpod's word for the network that containers are in if nothing is said, whatever its name.
const defaultNetwork = "default"

// endpoints sets the container's place in its networks. They are a map: the order, which decides which network is eth0, is kept by the names of the interfaces.
func (e *Engine) endpoints(r *refusals, b *wireCreate, s *engine.Spec) {
	named := slices.ContainsFunc(s.Networks, func(ep engine.Endpoint) bool { return ep.InterfaceName != "" })
	for i, ep := range s.Networks {
		at := fmt.Sprintf("Spec.Networks[%d]", i)
		if i == 0 && ep.MACAddress == "" {
			ep.MACAddress = s.MACAddress
		}
		w := e.endpoint(r, at, ep)
		if len(s.Networks) > 1 && !named {
			w.InterfaceName = fmt.Sprintf("eth%d", i)
		}
		name := ep.Network
		if name == "bridge" {
			name = defaultNetwork // Docker's name for it
		}
		setKey(&b.Networks, name, w)
	}
	if s.MACAddress == "" || len(s.Networks) > 0 {
		return
	}
	switch {
	case len(b.Networks) > 0:
		for name, w := range b.Networks {
			w.StaticMAC = s.MACAddress
			b.Networks[name] = w
		}
	case b.NetNS != nil && (b.NetNS.Mode == "bridge" || b.NetNS.Mode == "default"):
		b.NetNS.Mode = "bridge"
		setKey(&b.Networks, defaultNetwork, wireNetworkOptions{StaticMAC: s.MACAddress})
	default:
		r.unsupported("Spec.MACAddress", s.MACAddress, "only a bridge network has one")
	}
}

// endpoint is a container's place in a network.
func (e *Engine) endpoint(r *refusals, at string, ep engine.Endpoint) wireNetworkOptions {
	w := wireNetworkOptions{Aliases: ep.Aliases, StaticMAC: ep.MACAddress, InterfaceName: ep.InterfaceName, Options: ep.DriverOptions}
	for _, a := range []netip.Addr{ep.IPv4, ep.IPv6} {
		if a.IsValid() {
			w.StaticIPs = append(w.StaticIPs, a.String())
		}
	}
	r.when(len(ep.LinkLocalIPs) > 0, at+".LinkLocalIPs", "", "")
	r.when(len(ep.Links) > 0, at+".Links", "", "Podman has no links: use Aliases")
	r.when(ep.GatewayPriority != 0, at+".GatewayPriority", "", "")
	r.needs(len(ep.DriverOptions) > 0, vEndpointOptions, at+".DriverOptions")
	return w
}
