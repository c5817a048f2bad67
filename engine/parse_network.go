package engine

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// ParseNetwork reads a network to join, in Podman's form or Docker's:
//
//	NETWORK[:KEY=VALUE[,KEY=VALUE]…]
//	name=NETWORK[,KEY=VALUE]…
//
// The keys are ip (of either family), ip6, mac, alias, interface_name, link-local-ip,
// driver-opt (KEY=VALUE) and gw-priority; alias, link-local-ip and driver-opt may be
// repeated; mac-address, interface-name and ip-address are other names. Errors are InvalidErrors.
func ParseNetwork(s string) (Endpoint, error) {
	bad := func(reason string) (Endpoint, error) {
		return Endpoint{}, &InvalidError{Option: "network", Value: s, Reason: reason}
	}
	var e Endpoint
	options := s
	if i := strings.IndexAny(s, ":="); i < 0 || s[i] == ':' {
		var ok bool
		if e.Network, options, ok = strings.Cut(s, ":"); ok && options == "" {
			return bad("options are missing after the colon")
		}
	}
	if options != "" {
		fields, err := csvFields(options)
		if err != nil {
			return bad(err.Error())
		}
		for _, field := range fields {
			key, value, _ := strings.Cut(field, "=")
			if value == "" {
				return bad(key + " has no value")
			}
			if reason := e.setOption(key, value); reason != "" {
				return bad(key + ": " + reason)
			}
		}
	}
	if faults := e.check(); len(faults) > 0 {
		return bad(faults[0].field + ": " + faults[0].reason)
	}
	return e, nil
}

// setOption applies one option; the result is why it cannot.
func (e *Endpoint) setOption(key, value string) string {
	const twice = "given twice"
	text := func(v *string) string {
		if *v != "" {
			return twice
		}
		*v = value
		return ""
	}
	switch key {
	case "name":
		return text(&e.Network)
	case "alias":
		e.Aliases = append(e.Aliases, value)
	case "ip", "ip-address", "ip6", "link-local-ip":
		ip, err := netip.ParseAddr(value)
		switch {
		case err != nil:
			return "it is no IP address"
		case key == "link-local-ip":
			e.LinkLocalIPs = append(e.LinkLocalIPs, ip)
			return ""
		case key == "ip6" && ip.Is4():
			return "it is no IPv6 address"
		}
		to := &e.IPv4
		if ip.Is6() {
			to = &e.IPv6
		}
		if to.IsValid() {
			return twice
		}
		*to = ip
	case "mac", "mac-address", "mac_address":
		return text(&e.MACAddress)
	case "interface_name", "interface-name":
		return text(&e.InterfaceName)
	case "driver-opt":
		k, v, _ := strings.Cut(value, "=")
		if k == "" {
			return "want KEY=VALUE"
		}
		if e.DriverOptions == nil {
			e.DriverOptions = map[string]string{}
		}
		e.DriverOptions[k] = v
	case "gw-priority":
		n, err := strconv.Atoi(value)
		if err != nil {
			return "it is no whole number"
		}
		e.GatewayPriority = n
	default:
		return "unknown option"
	}
	return ""
}

// check finds what is wrong with e on every engine.
func (e Endpoint) check() (faults []fieldFault) {
	add := func(field, value, reason string) { faults = append(faults, fieldFault{field, value, reason}) }
	mode, _, _ := strings.Cut(e.Network, ":")
	switch {
	case e.Network == "":
		add("Network", "", "the network is missing")
	case mode == "host", mode == "none", mode == "container", mode == "ns":
		add("Network", e.Network, "it is no network but a NetworkMode")
	case strings.ContainsAny(e.Network, ":, \t\r\n"):
		add("Network", e.Network, "it is not a network's name")
	}
	if e.IPv4.IsValid() && !e.IPv4.Is4() {
		add("IPv4", e.IPv4.String(), "it is no IPv4 address")
	}
	if e.IPv6.IsValid() && (!e.IPv6.Is6() || e.IPv6.Is4In6() || e.IPv6.Zone() != "") {
		add("IPv6", e.IPv6.String(), "it is no IPv6 address of a network")
	}
	for _, ip := range e.LinkLocalIPs {
		if !ip.IsValid() || ip.Zone() != "" {
			add("LinkLocalIPs", ip.String(), "it is no address without a zone")
		}
	}
	if reason := macFault(e.MACAddress); reason != "" {
		add("MACAddress", e.MACAddress, reason)
	}
	for _, a := range e.Aliases {
		if a == "" {
			add("Aliases", "", "an alias is empty")
		}
	}
	for _, l := range e.Links {
		if reason := linkFault(l); reason != "" {
			add("Links", l, reason)
		}
	}
	for _, k := range sortedKeys(e.DriverOptions) {
		if k == "" {
			add("DriverOptions", "", "a key is empty")
		}
	}
	return faults
}

// macFault is why s is no MAC address; "" if it is one or empty.
func macFault(s string) string {
	if s == "" {
		return ""
	}
	if mac, err := net.ParseMAC(s); err != nil || len(mac) != 6 {
		return "it is no MAC address of six bytes"
	}
	return ""
}

// linkFault is why s is not NAME[:ALIAS]; "" if it is.
func linkFault(s string) string {
	name, alias, ok := strings.Cut(s, ":")
	if name == "" || ok && alias == "" || strings.Contains(alias, ":") {
		return "want NAME[:ALIAS]"
	}
	return ""
}
