package engine

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// ParsePort reads a published port in the form of docker run -p:
//
//	[[ADDRESS:][HOSTPORT]:]PORT[/PROTOCOL]
//
// "80", "8080:80", "127.0.0.1:8080:80/udp", "[::1]:8080:80", "127.0.0.1::80",
// "8000-8010:9000-9010". An IPv6 address stands in brackets. An empty address, as an
// unset variable in a script leaves it, is an error and not "all addresses".
// Errors are InvalidErrors.
func ParsePort(s string) (Port, error) {
	bad := func(reason string) (Port, error) {
		return Port{}, &InvalidError{Option: "port", Value: s, Reason: reason}
	}
	rest, proto, hasProto := strings.Cut(s, "/")
	var p Port
	if strings.HasPrefix(rest, "[") {
		addr, after, ok := strings.Cut(rest[1:], "]:")
		if !ok {
			return bad("want [ADDRESS]:HOSTPORT:PORT")
		}
		ip, err := netip.ParseAddr(addr)
		if err != nil || !ip.Is6() {
			return bad("no IPv6 address in the brackets")
		}
		p.HostIP, rest = ip, after
		if !strings.Contains(rest, ":") {
			return bad("want [ADDRESS]:HOSTPORT:PORT")
		}
	}
	switch parts := strings.SplitN(rest, ":", 4); {
	case len(parts) == 1:
		p.Container = parts[0]
	case len(parts) == 2:
		p.Host, p.Container = parts[0], parts[1]
	case len(parts) == 3 && !p.HostIP.IsValid():
		ip, err := netip.ParseAddr(parts[0])
		if err != nil {
			return bad("the address of the host is no IP address")
		}
		p.HostIP, p.Host, p.Container = ip, parts[1], parts[2]
	default:
		return bad("too many colons; an IPv6 address stands in brackets")
	}
	if hasProto {
		p.Container += "/" + strings.ToLower(proto)
	}
	if _, err := p.parse(); err != nil {
		return bad(err.Error())
	}
	return p, nil
}

// ParsePorts is [ParsePort] for several. The error names the first that is malformed.
func ParsePorts(list []string) ([]Port, error) {
	ports := make([]Port, 0, len(list))
	for _, s := range list {
		p, err := ParsePort(s)
		if err != nil {
			return nil, err
		}
		ports = append(ports, p)
	}
	return ports, nil
}

// String is p in the form of ParsePort.
func (p Port) String() string {
	var b strings.Builder
	if p.HostIP.Is6() {
		b.WriteString("[" + p.HostIP.String() + "]:")
	} else if p.HostIP.IsValid() {
		b.WriteString(p.HostIP.String() + ":")
	}
	host, container := p.Host, p.Container
	if r, err := p.parse(); err == nil && p.Range > 1 {
		container = r.container.String() + "/" + r.proto
		if r.host.first != 0 {
			host = r.host.String()
		}
	}
	if host != "" || p.HostIP.IsValid() {
		b.WriteString(host + ":")
	}
	b.WriteString(container)
	return b.String()
}

// Expand gives the single ports of p. An InvalidError's Option is "port".
func (p Port) Expand() ([]PortMapping, error) {
	r, err := p.parse()
	if err != nil {
		return nil, &InvalidError{Option: "port", Value: p.String(), Reason: err.Error()}
	}
	list := make([]PortMapping, r.container.len())
	for i := range list {
		m := PortMapping{ContainerPort: r.container.first + uint16(i), Protocol: r.proto, HostIP: p.HostIP}
		switch {
		case r.host.first == 0:
		case len(list) == 1 && r.host.len() > 1:
			m.HostPort, m.HostPortEnd = r.host.first, r.host.last
		default:
			m.HostPort = r.host.first + uint16(i)
		}
		list[i] = m
	}
	return list, nil
}

// ExpandExpose gives the ports of an element of Spec.Expose: "80", "53/udp",
// "8000-8010/tcp". Their host side is zero.
func ExpandExpose(s string) ([]PortMapping, error) {
	return Port{Container: s}.Expand()
}

// portPair is the ports of a Port, read. Host's zero is "the engine chooses".
type portPair struct {
	container, host portRange
	proto           string
}

type portRange struct{ first, last uint16 }

func (r portRange) len() int { return int(r.last) - int(r.first) + 1 }

func (r portRange) String() string {
	if r.first == r.last {
		return strconv.Itoa(int(r.first))
	}
	return fmt.Sprintf("%d-%d", r.first, r.last)
}

// parse reads p; the error is a reason.
func (p Port) parse() (portPair, error) {
	ports, proto, hasProto := strings.Cut(p.Container, "/")
	r := portPair{proto: "tcp"}
	if hasProto {
		r.proto = strings.ToLower(proto)
	}
	switch r.proto {
	case "tcp", "udp", "sctp":
	default:
		return r, fmt.Errorf("protocol %q is none of tcp, udp, sctp", proto)
	}
	if p.HostIP.Zone() != "" {
		return r, fmt.Errorf("an address with a zone cannot be published on")
	}
	var err error
	if r.container, err = parsePortRange(ports); err != nil {
		return r, err
	}
	if p.Host != "" && p.Host != "0" {
		if r.host, err = parsePortRange(p.Host); err != nil {
			return r, err
		}
	}
	if p.Range > 1 {
		if r.container.len() > 1 || r.host.len() > 1 {
			return r, fmt.Errorf("a range of ports excludes Range")
		}
		if r.container, err = r.container.extend(p.Range); err == nil && r.host.first != 0 {
			r.host, err = r.host.extend(p.Range)
		}
		return r, err
	}
	if n := r.container.len(); n > 1 && r.host.first != 0 && r.host.len() != n {
		return r, fmt.Errorf("%d ports of the host for %d of the container", r.host.len(), n)
	}
	return r, nil
}

func (r portRange) extend(n uint16) (portRange, error) {
	last := int(r.first) + int(n) - 1
	if last > 65535 {
		return r, fmt.Errorf("range ends at port %d", last)
	}
	return portRange{r.first, uint16(last)}, nil
}

func parsePortRange(s string) (portRange, error) {
	first, last, isRange := strings.Cut(s, "-")
	a, err := parsePortNumber(first)
	if err != nil || !isRange {
		return portRange{a, a}, err
	}
	b, err := parsePortNumber(last)
	if err == nil && b < a {
		err = fmt.Errorf("range %q ends before it starts", s)
	}
	return portRange{a, b}, err
}

func parsePortNumber(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	switch {
	case s == "":
		return 0, fmt.Errorf("port is missing")
	case err != nil || n == 0:
		return 0, fmt.Errorf("port %q is no number of 1 to 65535", s)
	}
	return uint16(n), nil
}
