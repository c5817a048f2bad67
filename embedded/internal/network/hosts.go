package network

import "net/netip"

// HostsInput is what /etc/hosts says.
type HostsInput struct {
	Hostname   string
	Domainname string
	Addresses  []netip.Addr // of the container, the primary one first; none before it has started
	ExtraHosts []string     // name:address; the address may be host-gateway
	Gateway    netip.Addr   // what host-gateway is; the entry is left out while it is not known
	Links      []HostsLink
}

// HostsLink is a line for another container.
type HostsLink struct {
	Addr  netip.Addr
	Names []string
}

// Hosts returns the contents of /etc/hosts.
func Hosts(in HostsInput) []byte { return nil }
