package network

import (
	"bytes"
	"net/netip"
	"strings"

	"github.com/berthdev/berth/engine"
)

// HostGateway is the address in a host entry that stands for the host.
const HostGateway = "host-gateway"

// HostsInput is what /etc/hosts says.
type HostsInput struct {
	Hostname   string
	Domainname string
	Addresses  []netip.Addr // of the container, the primary one first; none before it has started
	ExtraHosts []string     // name:address; the address may be host-gateway
	Gateway    netip.Addr   // what host-gateway is; such entries are left out while it is not known
	Links      []HostsLink
}

// HostsLink is a line for another container.
type HostsLink struct {
	Addr  netip.Addr
	Names []string
}

const hostsHead = `127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::	ip6-localnet
ff00::	ip6-mcastprefix
ff02::1	ip6-allnodes
ff02::2	ip6-allrouters
`

// Hosts returns the contents of /etc/hosts. Entries of ExtraHosts that cannot be read are left out: Spec.Validate has found them.
func Hosts(in HostsInput) []byte {
	b := bytes.NewBufferString(hostsHead)
	line := func(addr string, names ...string) {
		b.WriteString(addr)
		b.WriteByte('\t')
		b.WriteString(strings.Join(names, " "))
		b.WriteByte('\n')
	}
	for _, extra := range in.ExtraHosts {
		name, addr, err := engine.ParseExtraHost(extra)
		if err != nil {
			continue
		}
		if addr == HostGateway {
			if !in.Gateway.IsValid() {
				continue
			}
			addr = in.Gateway.String()
		}
		line(addr, name)
	}
	for _, l := range in.Links {
		line(l.Addr.String(), l.Names...)
	}
	if in.Hostname == "" {
		return b.Bytes()
	}
	names := []string{in.Hostname}
	if in.Domainname != "" {
		names = []string{in.Hostname + "." + in.Domainname, in.Hostname}
	} else if short, _, ok := strings.Cut(in.Hostname, "."); ok && short != "" {
		names = append(names, short)
	}
	for _, a := range in.Addresses {
		line(a.String(), names...)
	}
	return b.Bytes()
}
