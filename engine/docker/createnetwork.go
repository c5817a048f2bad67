package docker

import (
	"fmt"
	"maps"
	"net/netip"
	"strconv"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// The driver options of an endpoint that the engine itself knows.
const (
	optInterfaceName   = "com.docker.network.endpoint.ifname"
	optEndpointSysctls = "com.docker.network.endpoint.sysctls"
)

// ports sets what is exposed and what of it is published.
func ports(r *refusals, b *wireCreate, s *engine.Spec) {
	expose := func(p engine.PortMapping) string {
		if b.ExposedPorts == nil {
			b.ExposedPorts = map[string]struct{}{}
		}
		key := fmt.Sprintf("%d/%s", p.ContainerPort, p.Protocol)
		b.ExposedPorts[key] = struct{}{}
		return key
	}
	for _, e := range s.Expose {
		list, err := engine.ExpandExpose(e)
		r.add(err)
		for _, p := range list {
			expose(p)
		}
	}
	for _, p := range s.Ports {
		list, err := p.Expand()
		r.add(err)
		for _, p := range list {
			if b.HostConfig.PortBindings == nil {
				b.HostConfig.PortBindings = map[string][]wirePortBinding{}
			}
			key := expose(p)
			b.HostConfig.PortBindings[key] = append(b.HostConfig.PortBindings[key], wirePortBinding{HostIP: addr(p.HostIP), HostPort: hostPort(p)})
		}
	}
	b.HostConfig.PublishAllPorts = s.PublishAllPorts
}

// hostPort is "" for one that the engine chooses, "8000-8010" for one that it chooses in a range.
func hostPort(p engine.PortMapping) string {
	switch {
	case p.HostPort == 0:
		return ""
	case p.HostPortEnd != 0:
		return fmt.Sprintf("%d-%d", p.HostPort, p.HostPortEnd)
	}
	return strconv.Itoa(int(p.HostPort))
}

// addr is "" for the zero address.
func addr(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func addrs(list []netip.Addr) []string {
	var out []string
	for _, a := range list {
		out = append(out, addr(a))
	}
	return out
}

// network sets the mode and the endpoints. Below API 1.44 a request has one endpoint: the others become connections after it.
func (e *Engine) network(r *refusals, b *wireCreate, s *engine.Spec, req *createRequest) {
	h := &b.HostConfig
	h.DNS, h.DNSOptions, h.DNSSearch = addrs(s.DNS), s.DNSOptions, s.DNSSearch
	h.ExtraHosts = s.ExtraHosts
	mode, err := normal.NetworkMode(s.NetworkMode)
	if err != nil {
		r.add(err)
		return
	}
	h.NetworkMode = s.NetworkMode
	if h.NetworkMode == "" && len(s.Networks) > 0 {
		h.NetworkMode = s.Networks[0].Network
	}
	endpoints := s.Networks
	userDefined := mode.Mode == "network" || len(s.Networks) > 0 && s.Networks[0].Network != "bridge"
	if len(s.Links) > 0 && userDefined && len(endpoints) == 0 {
		endpoints = []engine.Endpoint{{Network: h.NetworkMode}}
	}
	if s.MACAddress != "" && len(endpoints) == 0 && e.api >= apiMultiNetwork {
		name := h.NetworkMode
		if name == "" {
			name = "default"
		}
		endpoints = []engine.Endpoint{{Network: name}}
	}
	prioritised, named := false, false
	for _, ep := range endpoints {
		prioritised = prioritised || ep.GatewayPriority != 0
		named = named || ep.InterfaceName != "" || ep.DriverOptions[optInterfaceName] != ""
	}
	for i, ep := range endpoints {
		at := fmt.Sprintf("Spec.Networks[%d]", i)
		w := e.endpoint(r, at, ep)
		if i == 0 {
			e.primary(b, s, w, userDefined)
		} else {
			r.needs(w.MacAddress != "", apiMultiNetwork, at+".MACAddress", w.MacAddress)
		}
		if len(endpoints) > 1 && e.api >= apiGatewayPriority {
			order(w, i, prioritised, named)
		}
		if i > 0 && e.api < apiMultiNetwork {
			req.connect = append(req.connect, connection{ep.Network, w})
			continue
		}
		if b.NetworkingConfig == nil {
			b.NetworkingConfig = &wireNetworkingConfig{EndpointsConfig: map[string]*wireEndpoint{}}
		}
		b.NetworkingConfig.EndpointsConfig[ep.Network] = w
	}
	if len(endpoints) == 0 {
		b.MacAddress = s.MACAddress
		h.Links = s.Links
	}
}

// primary gives the first endpoint what a Spec says of the container as a whole.
func (e *Engine) primary(b *wireCreate, s *engine.Spec, w *wireEndpoint, userDefined bool) {
	if s.MACAddress != "" {
		w.MacAddress = s.MACAddress
	}
	if e.api < apiMultiNetwork {
		b.MacAddress, w.MacAddress = w.MacAddress, ""
	}
	if userDefined {
		w.Links = append(w.Links, s.Links...)
	} else {
		b.HostConfig.Links = s.Links
	}
}

// order makes the first network the primary one and names the interfaces in the order of the networks, as far as the caller has not. By itself the engine joins them in no order, and takes the
// default route of the one whose name sorts first.
func order(w *wireEndpoint, i int, prioritised, named bool) {
	if i == 0 && !prioritised {
		w.GwPriority = 1
	}
	if !named {
		setDriverOption(w, optInterfaceName, "eth"+strconv.Itoa(i))
	}
}

// setDriverOption sets one option in a map of w's own.
func setDriverOption(w *wireEndpoint, key, value string) {
	w.DriverOpts = maps.Clone(w.DriverOpts)
	if w.DriverOpts == nil {
		w.DriverOpts = map[string]string{}
	}
	w.DriverOpts[key] = value
}

// endpoint translates ep; at names it in errors.
func (e *Engine) endpoint(r *refusals, at string, ep engine.Endpoint) *wireEndpoint {
	w := &wireEndpoint{
		Links:      append([]string(nil), ep.Links...),
		Aliases:    ep.Aliases,
		MacAddress: ep.MACAddress,
		DriverOpts: ep.DriverOptions,
		GwPriority: ep.GatewayPriority,
	}
	if ep.IPv4.IsValid() || ep.IPv6.IsValid() || len(ep.LinkLocalIPs) > 0 {
		w.IPAMConfig = &wireEndpointIPAM{IPv4Address: addr(ep.IPv4), IPv6Address: addr(ep.IPv6), LinkLocalIPs: addrs(ep.LinkLocalIPs)}
	}
	r.needs(ep.GatewayPriority != 0, apiGatewayPriority, at+".GatewayPriority", strconv.Itoa(ep.GatewayPriority))
	r.needs(ep.InterfaceName != "" || ep.DriverOptions[optInterfaceName] != "", apiInterfaceName, at+".InterfaceName", ep.InterfaceName)
	r.needs(ep.DriverOptions[optEndpointSysctls] != "", apiEndpointSysctls, at+".DriverOptions", optEndpointSysctls)
	if ep.InterfaceName != "" {
		if other := ep.DriverOptions[optInterfaceName]; other != "" && other != ep.InterfaceName {
			r.invalid(at+".InterfaceName", ep.InterfaceName, "DriverOptions has another one: "+other)
		}
		setDriverOption(w, optInterfaceName, ep.InterfaceName)
	}
	return w
}
