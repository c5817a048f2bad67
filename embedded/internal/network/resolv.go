package network

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
)

// Server is the address of the name server inside of a container's namespace.
var Server = netip.AddrFrom4([4]byte{127, 0, 0, 11})

// ResolvInput is what /etc/resolv.conf says.
type ResolvInput struct {
	Host    []byte       // contents of the host's file
	DNS     []netip.Addr // of the container; empty is the host's
	Options []string     // of the container; nil is the host's
	Search  []string     // of the container; nil is the host's, "." is none
	// Own puts Server in, which forwards to the others.
	Own bool
	// HostNetwork: the container is in the host's namespace, where all of the host's servers answer.
	HostNetwork bool
}

// Resolv returns the contents of /etc/resolv.conf.
//
// Name servers of the host at a loopback address, or on one of its interfaces (fe80::1%eth0), are left out: nobody answers there in a container's
// namespace. When that leaves none, Own is needed (see [NeedsServer]).
func Resolv(in ResolvInput) []byte {
	host := parseResolv(in.Host)
	servers := in.DNS
	if len(servers) == 0 {
		servers = host.servers
		if !in.HostNetwork {
			servers = slices.DeleteFunc(slices.Clone(servers), ofHost)
		}
	}
	options := host.options
	if in.Options != nil {
		options = in.Options
	}
	if in.Own {
		servers = []netip.Addr{Server}
		if !slices.ContainsFunc(options, func(o string) bool { return strings.HasPrefix(o, "ndots:") }) {
			options = append(slices.Clone(options), "ndots:0")
		}
	}
	search := host.search
	if in.Search != nil {
		search = slices.DeleteFunc(slices.Clone(in.Search), func(s string) bool { return s == "." || s == "" })
	}
	var b bytes.Buffer
	for _, s := range servers {
		b.WriteString("nameserver " + s.String() + "\n")
	}
	if len(search) > 0 {
		b.WriteString("search " + strings.Join(search, " ") + "\n")
	}
	if len(options) > 0 {
		b.WriteString("options " + strings.Join(options, " ") + "\n")
	}
	return b.Bytes()
}

// NeedsServer says that a container which is given no name servers must have [Server]: those of the host's
// resolv.conf are all at addresses that only the host reaches.
func NeedsServer(host []byte, dns []netip.Addr) bool {
	if len(dns) > 0 {
		return false
	}
	servers := parseResolv(host).servers
	return len(servers) > 0 && !slices.ContainsFunc(servers, func(a netip.Addr) bool { return !ofHost(a) })
}

// ofHost says that an address is one in the host's namespace alone: of its loopback, or with one of its interfaces.
func ofHost(a netip.Addr) bool { return a.IsLoopback() || a.Zone() != "" }

// resolvConf is a resolv.conf, read.
type resolvConf struct {
	servers         []netip.Addr
	search, options []string
}

// parseResolv reads resolv.conf as the C library does: unknown words are skipped, the last search or domain counts.
func parseResolv(b []byte) resolvConf {
	var c resolvConf
	for line := range strings.Lines(string(b)) {
		if i := strings.IndexAny(line, "#;"); i >= 0 {
			line = line[:i]
		}
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch f[0] {
		case "nameserver":
			if a, err := netip.ParseAddr(f[1]); err == nil && !a.IsUnspecified() {
				c.servers = append(c.servers, a.Unmap())
			}
		case "search", "domain":
			c.search = slices.DeleteFunc(f[1:], func(s string) bool { return s == "." })
		case "options":
			c.options = append(c.options, f[1:]...)
		}
	}
	return c
}
