package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
)

// Driver options of an endpoint.
const (
	optInterfaceName     = "com.docker.network.endpoint.ifname"
	optHostInterfaceName = "host_interface_name" // Podman's
)

// Check says whether a container could join: the networks exist, the addresses lie in them. It changes
// nothing. An address or a port that another one has is found by Connect.
func (m *Manager) Check(ctx context.Context, endpoints []engine.Endpoint, ports []engine.PortMapping) error {
	_, err := m.plan(ctx, endpoints, ports)
	return err
}

// planned is an endpoint with its network.
type planned struct {
	config   *config
	asked    engine.Endpoint
	mac      net.HardwareAddr // nil: of the address
	name     string           // of the interface in the container; "" is the next one
	hostName string           // of the interface on the host; "" is made up
}

// plan checks what was asked for.
func (m *Manager) plan(ctx context.Context, endpoints []engine.Endpoint, ports []engine.PortMapping) ([]planned, error) {
	var errs []error
	var out []planned
	if m.opts.Rootless {
		return nil, planRootless(endpoints, ports)
	}
	seen := map[string]bool{}
	internal := true
	for i, ep := range endpoints {
		p, err := m.planOne(ctx, ep, fmt.Sprintf("Spec.Networks[%d]", i))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if seen[p.config.ID] {
			errs = append(errs, &engine.InvalidError{Option: fmt.Sprintf("Spec.Networks[%d]", i), Value: ep.Network, Reason: "the network is given twice"})
		}
		seen[p.config.ID] = true
		internal = internal && p.config.Internal
		out = append(out, p)
	}
	for i, p := range ports {
		option := fmt.Sprintf("Spec.Ports[%d]", i)
		if p.Protocol != "tcp" && p.Protocol != "udp" {
			errs = append(errs, &engine.UnsupportedError{Option: option, Value: fmt.Sprintf("%d/%s", p.ContainerPort, p.Protocol), Engine: "embedded", Reason: "tcp and udp are published"})
		}
	}
	if len(ports) > 0 && internal && len(errs) == 0 {
		errs = append(errs, &engine.InvalidError{Option: "Spec.Ports", Reason: "the container has no network but internal ones, which nobody outside reaches"})
	}
	return out, errors.Join(errs...)
}

func (m *Manager) planOne(ctx context.Context, ep engine.Endpoint, at string) (planned, error) {
	var errs []error
	invalid := func(option, value, reason string) {
		errs = append(errs, &engine.InvalidError{Option: at + option, Value: value, Reason: reason})
	}
	c, err := m.find(ctx, "connect network", ep.Network)
	if err != nil {
		return planned{}, err
	}
	if c.Driver != "bridge" {
		return planned{}, &engine.InvalidError{Option: at, Value: ep.Network, Reason: "container cannot be connected to the network " + c.Name}
	}
	p := planned{config: c, asked: ep, name: ep.InterfaceName}
	for _, v6 := range []bool{false, true} {
		want, option := ep.IPv4, ".IPv4"
		if v6 {
			want, option = ep.IPv6, ".IPv6"
		}
		if !want.IsValid() {
			continue
		}
		s := c.subnet(v6)
		switch {
		case want.Is6() != v6:
			invalid(option, want.String(), "the address is of the other family")
		case s == nil || !s.Subnet.Contains(want):
			invalid(option, want.String(), "no configured subnet of network "+c.Name+" contains it")
		case want == s.Gateway:
			invalid(option, want.String(), "it is the gateway of network "+c.Name)
		case want == s.Subnet.Addr() || !v6 && want == lastAddr(s.Subnet):
			invalid(option, want.String(), "it is the network's or the broadcast address")
		}
	}
	for _, a := range ep.LinkLocalIPs {
		if !a.IsLinkLocalUnicast() {
			invalid(".LinkLocalIPs", a.String(), "it is no link-local address")
		}
	}
	if ep.MACAddress != "" {
		var ok bool
		if p.mac, ok = parseMAC(ep.MACAddress); !ok {
			invalid(".MACAddress", ep.MACAddress, wantMAC)
		}
	}
	for _, k := range sortedKeys(ep.DriverOptions) {
		switch v := ep.DriverOptions[k]; {
		case k == optInterfaceName && p.name != "" && p.name != v:
			invalid(".DriverOptions", k, "InterfaceName is another one: "+p.name)
		case k == optInterfaceName:
			p.name = v
		case k == optHostInterfaceName:
			p.hostName = v
		case strings.Contains(k, ".") && !strings.HasPrefix(k, "com.docker."):
			// It belongs to no driver that exists here: inspect shows it.
		default:
			errs = append(errs, &engine.UnsupportedError{Option: at + ".DriverOptions", Value: k, Engine: "embedded"})
		}
	}
	for _, name := range []string{p.name, p.hostName} {
		if len(name) > 15 || name == "." || name == ".." || name == "lo" || strings.ContainsAny(name, "/: \t\n%") {
			invalid(".InterfaceName", name, "no name of an interface")
		}
	}
	return p, errors.Join(errs...)
}

// endpointFor takes addresses and names for p. The caller has the lock and writes the record.
func (m *Manager) endpointFor(p planned, r *record, mtu int) (endpoint, error) {
	c := p.config
	e := endpoint{
		NetworkID: c.ID, Network: c.Name, EndpointID: newID(), Bridge: c.Interface,
		Host: p.hostName, Interface: p.name, MTU: mtu, Internal: c.Internal, Isolated: c.Isolated,
		DNS: c.Name != Default && !c.DNSDisabled, Asked: p.asked,
	}
	if e.Host == "" {
		e.Host = "veth" + newID()[:11]
	}
	if e.Interface == "" {
		prefix := c.Prefix
		if prefix == "" {
			prefix = "eth"
		}
		for n := 0; ; n++ {
			if e.Interface = prefix + strconv.Itoa(n); !r.hasInterface(e.Interface) {
				break
			}
		}
	} else if r.hasInterface(e.Interface) {
		return e, fail("connect network", c.Name, engine.ErrInvalid, "the container has an interface %s already", e.Interface)
	}
	var err error
	if s := c.subnet(false); s != nil {
		if e.IPv4, err = m.takeAddress(c, s, r.ID, p.asked.IPv4); err != nil {
			return e, err
		}
		e.Bridge4 = s.Gateway
		if !c.Internal {
			e.Gateway4 = s.Gateway
		}
	}
	if s := c.subnet(true); s != nil {
		if e.IPv6, err = m.takeAddress(c, s, r.ID, p.asked.IPv6); err != nil {
			m.freeAddresses(r.ID, &e)
			return e, err
		}
		if !c.Internal {
			e.Gateway6 = s.Gateway
		}
	}
	mac := p.mac
	if mac == nil {
		// As Docker: of the IPv4 address, so that who knows an address's old owner reaches the new one.
		a := e.IPv4.Addr().As4()
		mac = net.HardwareAddr{0x02, 0x42, a[0], a[1], a[2], a[3]}
	}
	e.MAC = mac.String()
	return e, nil
}

func (r *record) hasInterface(name string) bool {
	return slices.ContainsFunc(r.Endpoints, func(e endpoint) bool { return e.Interface == name })
}

// hostResolv is the host's resolv.conf.
const hostResolv = "/etc/resolv.conf"

// readHostResolv reads it; a host without one has no name servers.
func readHostResolv() []byte {
	b, _ := os.ReadFile(hostResolv)
	return b
}

// addressOf is the address of p, or zero.
func addressOf(p netip.Prefix) netip.Addr {
	if !p.IsValid() {
		return netip.Addr{}
	}
	return p.Addr()
}

const wantMAC = "want six bytes, not of a group"

// parseMAC reads the address of an interface.
func parseMAC(text string) (net.HardwareAddr, bool) {
	mac, err := net.ParseMAC(text)
	return mac, err == nil && len(mac) == 6 && mac[0]&1 == 0
}
