package network

import (
	"maps"
	"net"
	"net/netip"
	"strings"

	"github.com/berthdev/berth/engine"
)

// Result is what the container has now.
func (s *Session) Result() *Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.result()
}

func (s *Session) result() *Result {
	r := s.record.Load()
	out := &Result{Networks: map[string]engine.EndpointState{}, Ports: bindings(r.Ports)}
	in := HostsInput{Hostname: s.request.Hostname, Domainname: s.request.Domainname, ExtraHosts: s.request.ExtraHosts, Links: s.hosts}
	for i := range r.Endpoints {
		e := &r.Endpoints[i]
		out.Networks[e.Network] = e.state()
	}
	// The primary one first: it is what the host name means.
	primary := r.primary()
	add := func(e *endpoint) {
		for _, p := range []netip.Prefix{e.IPv4, e.IPv6} {
			if p.IsValid() {
				in.Addresses = append(in.Addresses, p.Addr())
			}
		}
	}
	if primary != nil {
		out.Gateway = primary.Gateway4
		in.Gateway = primary.Gateway4
		add(primary)
	}
	for i := range r.Endpoints {
		if e := &r.Endpoints[i]; e != primary {
			add(e)
			if !in.Gateway.IsValid() {
				in.Gateway = e.Bridge4
			}
		}
	}
	if p := r.primary6(); p != nil {
		out.IPv6Gateway = p.Gateway6
	}
	out.Hosts = Hosts(in)
	out.Resolv = Resolv(ResolvInput{
		Host: readHostResolv(), DNS: s.request.DNS, Options: s.request.DNSOptions, Search: s.request.DNSSearch,
		Own: s.server != nil,
	})
	return out
}

// resolveLinks finds the containers of legacy links NAME[:ALIAS] in the networks of this one, or in c alone: for networks with names as an
// alias that this container alone knows, else as a line of its hosts file.
func (s *Session) resolveLinks(links []string, c *config) error {
	if len(links) == 0 {
		return nil
	}
	own := s.record.Load()
	names := map[string]string{}
	maps.Copy(names, *s.links.Load())
	dir := &directory{m: s.m}
	for _, link := range links {
		name, alias, _ := strings.Cut(strings.TrimPrefix(link, "/"), ":")
		if alias == "" {
			alias = name
		}
		found := false
		for i := range own.Endpoints {
			e := &own.Endpoints[i]
			if found || c != nil && e.NetworkID != c.ID {
				continue
			}
			ids, err := s.m.members(e.NetworkID)
			if err != nil {
				return err
			}
			for _, id := range ids {
				r := dir.record(id)
				if found || r == nil || id == own.ID || !s.m.alive(id) {
					continue
				}
				there := r.endpointOf(e.NetworkID)
				if there == nil || !(neighbour{r, there}).called(strings.ToLower(name)) && !strings.HasPrefix(id, name) {
					continue
				}
				found = true
				if e.DNS {
					names[strings.ToLower(alias)] = r.Name
					continue
				}
				list := []string{alias}
				for _, n := range []string{r.Name, id[:min(12, len(id))]} {
					if n != alias {
						list = append(list, n)
					}
				}
				s.hosts = append(s.hosts, HostsLink{Addr: addressOf(there.IPv4), Names: list})
			}
		}
		if !found {
			return fail("link container", name, engine.ErrConflict, "cannot link to %s: no running container of that name is in the same network", name)
		}
	}
	s.links.Store(&names)
	return nil
}

// portOf is the port of a socket's address.
func portOf(a net.Addr) uint16 {
	switch a := a.(type) {
	case *net.UDPAddr:
		return uint16(a.Port)
	case *net.TCPAddr:
		return uint16(a.Port)
	}
	return 0
}
