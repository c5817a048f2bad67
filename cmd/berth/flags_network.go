package main

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/berthdev/berth"
)

// networkFlags are about networks, ports and names.
func networkFlags() []specFlag {
	addr := netip.ParseAddr
	return []specFlag{
		{"network", "", "NETWORK", "network to join (also name=NET,alias=A,ip=…; several), or host, none, container:NAME, ns:PATH", "Networks", texts(func(d *draft) *[]string { return &d.networks })},
		{"network-alias", "", "NAME", "further name in the first network", "Networks[0].Aliases", texts(func(d *draft) *[]string { return &d.endpoint.Aliases })},
		{"ip", "", "ADDRESS", "IPv4 address in the first network", "Networks[0].IPv4", parsed(addr, func(d *draft) *netip.Addr { return &d.endpoint.IPv4 })},
		{"ip6", "", "ADDRESS", "IPv6 address in the first network", "Networks[0].IPv6", parsed(addr, func(d *draft) *netip.Addr { return &d.endpoint.IPv6 })},
		{"link-local-ip", "", "ADDRESS", "link-local address in the first network (Docker)", "Networks[0].LinkLocalIPs", parsedList(addr, func(d *draft) *[]netip.Addr { return &d.endpoint.LinkLocalIPs })},
		{"mac-address", "", "ADDRESS", "MAC address in the first network", "MACAddress", text(func(d *draft) *string { return &d.spec.MACAddress })},
		{"publish", "p", "[[IP:]PORT:]PORT[/PROTO]", "port to publish on the engine's host", "Ports", parsedList(berth.ParsePort, func(d *draft) *[]berth.Port { return &d.spec.Ports })},
		{"publish-all", "P", "", "publish all exposed ports on ports that the engine chooses", "PublishAllPorts", toggle(func(d *draft) *bool { return &d.spec.PublishAllPorts })},
		{"expose", "", "PORT[/PROTO]", "port to declare without publishing it", "Expose", texts(func(d *draft) *[]string { return &d.spec.Expose })},
		{"hostname", "h", "NAME", "host name of the container", "Hostname", text(func(d *draft) *string { return &d.spec.Hostname })},
		{"domainname", "", "NAME", "NIS domain name of the container", "Domainname", text(func(d *draft) *string { return &d.spec.Domainname })},
		{"dns", "", "ADDRESS", "name server", "DNS", parsedList(addr, func(d *draft) *[]netip.Addr { return &d.spec.DNS })},
		{"dns-option", "", "OPTION", "option of the resolver", "DNSOptions", texts(func(d *draft) *[]string { return &d.spec.DNSOptions })},
		{"dns-search", "", "DOMAIN", "search domain of the resolver", "DNSSearch", texts(func(d *draft) *[]string { return &d.spec.DNSSearch })},
		{"add-host", "", "NAME:ADDRESS", "line of /etc/hosts; the address may be host-gateway", "ExtraHosts", func(d *draft, s string) error {
			if _, _, err := berth.ParseExtraHost(s); err != nil {
				return err
			}
			d.spec.ExtraHosts = append(d.spec.ExtraHosts, s)
			return nil
		}},
		{"link", "", "CONTAINER[:ALIAS]", "link to another container (Docker)", "Links", texts(func(d *draft) *[]string { return &d.spec.Links })},
	}
}

// isMode tells that a value of --network is a mode, not the name of a network to join.
func isMode(s string) bool {
	switch kind, _, _ := strings.Cut(s, ":"); kind {
	case "host", "none", "private", "container", "ns", "pasta", "slirp4netns", "pod":
		return true
	}
	return s == "bridge" || s == "default"
}

// joinNetworks turns --network and the flags about the first network into the Spec.
func (d *draft) joinNetworks() error {
	e := d.endpoint
	detailed := len(e.Aliases) > 0 || e.IPv4.IsValid() || e.IPv6.IsValid() || len(e.LinkLocalIPs) > 0
	if len(d.networks) == 1 && isMode(d.networks[0]) && (!detailed || d.networks[0] != "bridge") {
		if detailed {
			return errors.New("--network-alias, --ip, --ip6 and --link-local-ip need a network to join: --network " + d.networks[0] + " is none")
		}
		d.spec.NetworkMode = d.networks[0]
		return nil
	}
	for _, s := range d.networks {
		if len(d.networks) > 1 && isMode(s) && s != "bridge" {
			return errors.New("--network " + s + " excludes other networks")
		}
		ep, err := berth.ParseNetwork(s)
		if err != nil {
			return err
		}
		d.spec.Networks = append(d.spec.Networks, ep)
	}
	switch {
	case !detailed:
		return nil
	case len(d.spec.Networks) == 0:
		return errors.New("--network-alias, --ip, --ip6 and --link-local-ip need --network")
	}
	first := &d.spec.Networks[0]
	first.Aliases = append(first.Aliases, e.Aliases...)
	first.LinkLocalIPs = append(first.LinkLocalIPs, e.LinkLocalIPs...)
	for _, a := range []struct {
		flag     string
		from, to *netip.Addr
	}{{"--ip", &e.IPv4, &first.IPv4}, {"--ip6", &e.IPv6, &first.IPv6}} {
		if a.from.IsValid() && a.to.IsValid() {
			return errors.New(a.flag + " says what --network says already")
		}
		if a.from.IsValid() {
			*a.to = *a.from
		}
	}
	return nil
}
