package engine

import "fmt"

// ports checks published and exposed ports, and that none is published twice.
func (v *validator) ports(s *Spec) {
	taken := takenPorts{}
	for i, p := range s.Ports {
		option := index("Spec.Ports", i)
		r, err := p.parse()
		if err != nil {
			v.add(option, p.String(), err.Error())
			continue
		}
		if r.host.first == 0 || r.container.len() == 1 && r.host.len() > 1 {
			continue // the engine chooses
		}
		if port := taken.add(r.proto, p, r.host); port != 0 {
			v.add(option, p.String(), fmt.Sprintf("port %d/%s of the host is published twice", port, r.proto))
		}
	}
	for i, p := range s.Expose {
		_, err := ExpandExpose(p)
		v.err(index("Spec.Expose", i), p, err)
	}
}

// takenPorts are the host's ports that are published, by protocol and address. The
// address "" is all of them, and "*" any.
type takenPorts map[string]*portSet

// portSet is a set of port numbers.
type portSet [65536 / 64]uint64

func (s *portSet) has(port int) bool { return s != nil && s[port/64]&(1<<(port%64)) != 0 }
func (s *portSet) put(port int)      { s[port/64] |= 1 << (port % 64) }

// add takes a range of ports of p's address. It returns the first that is taken already, else 0.
func (t takenPorts) add(proto string, p Port, r portRange) int {
	addr := ""
	if p.HostIP.IsValid() {
		addr = p.HostIP.String()
	}
	own, others := proto+" "+addr, proto+" "
	if addr == "" {
		others = proto + " *"
	}
	for port := int(r.first); port <= int(r.last); port++ {
		if t[own].has(port) || t[others].has(port) {
			return port
		}
	}
	for _, key := range [...]string{own, proto + " *"} {
		if t[key] == nil {
			t[key] = new(portSet)
		}
		for port := int(r.first); port <= int(r.last); port++ {
			t[key].put(port)
		}
	}
	return 0
}
