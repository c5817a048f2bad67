package podman

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/netip"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// wireNetwork is a network, in requests and answers.
type wireNetwork struct {
	Name             string            `json:"name"`
	ID               string            `json:"id,omitzero"`
	Driver           string            `json:"driver"`
	NetworkInterface string            `json:"network_interface,omitzero"`
	Created          time.Time         `json:"created,omitzero"`
	Subnets          []wireSubnet      `json:"subnets,omitzero"`
	IPv6Enabled      bool              `json:"ipv6_enabled"`
	Internal         bool              `json:"internal"`
	DNSEnabled       bool              `json:"dns_enabled"`
	Labels           map[string]string `json:"labels,omitzero"`
	Options          map[string]string `json:"options,omitzero"`
	IPAMOptions      map[string]string `json:"ipam_options,omitzero"`

	// Since 5.0.
	Containers map[string]struct {
		Name       string `json:"name"`
		Interfaces map[string]struct {
			Subnets []struct {
				IPNet netip.Prefix `json:"ipnet"`
			} `json:"subnets"`
			MACAddress string `json:"mac_address"`
		} `json:"interfaces"`
	} `json:"containers,omitzero"`
}

type wireSubnet struct {
	Subnet     string          `json:"subnet"`
	Gateway    string          `json:"gateway,omitzero"`
	LeaseRange *wireLeaseRange `json:"lease_range,omitzero"`
}

type wireLeaseRange struct {
	StartIP string `json:"start_ip,omitzero"`
	EndIP   string `json:"end_ip,omitzero"`
}

// NetworkCreate implements [engine.Networks]. Containers find each other by name in it unless opts.DNSDisabled, as on Docker.
func (e *Engine) NetworkCreate(ctx context.Context, opts engine.NetworkCreateOptions) (*engine.NetworkAttrs, error) {
	if _, err := checkName("network", opts.Name); err != nil {
		return nil, err
	}
	if opts.Attachable {
		return nil, e.unsupported("NetworkCreateOptions.Attachable", "true", "it is an option of Swarm's networks")
	}
	body := wireNetwork{
		Name: opts.Name, Driver: opts.Driver, NetworkInterface: opts.InterfaceName, IPv6Enabled: opts.IPv6, Internal: opts.Internal, Labels: opts.Labels, Options: opts.Options,
	}
	if body.Driver == "" {
		body.Driver = "bridge"
	}
	body.DNSEnabled = !opts.DNSDisabled && body.Driver == "bridge"
	for _, s := range opts.Subnets {
		if !s.Subnet.IsValid() {
			return nil, &engine.InvalidError{Option: "NetworkCreateOptions.Subnets", Reason: "a subnet is missing"}
		}
		w := wireSubnet{Subnet: s.Subnet.Masked().String()}
		if s.Gateway.IsValid() {
			w.Gateway = s.Gateway.String()
		}
		if s.Range.IsValid() {
			first, last := bounds(s.Range)
			w.LeaseRange = &wireLeaseRange{StartIP: first.String(), EndIP: last.String()}
		}
		body.Subnets = append(body.Subnets, w)
	}
	if opts.IPAMDriver != "" || len(opts.IPAMOptions) > 0 {
		body.IPAMOptions = map[string]string{}
		maps.Copy(body.IPAMOptions, opts.IPAMOptions)
		if opts.IPAMDriver != "" && opts.IPAMDriver != "default" {
			body.IPAMOptions["driver"] = opts.IPAMDriver
		}
	}
	var w wire.Raw[wireNetwork]
	if err := e.call(ctx, op{"create network", opts.Name}, wire.Request{Method: http.MethodPost, Path: "/networks/create", JSON: body}, &w); err != nil {
		return nil, err
	}
	return networkAttrs(&w), nil
}

// bounds are the first address of a range that a container can have, and the last: not the network's own, nor that of IPv4's broadcast.
func bounds(p netip.Prefix) (first, last netip.Addr) {
	p = p.Masked()
	first = p.Addr()
	b := first.AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	last, _ = netip.AddrFromSlice(b)
	if first != last && p.Bits() < first.BitLen()-1 {
		first = first.Next()
		if last.Is4() {
			last = last.Prev()
		}
	}
	return first, last
}

// rangeOf is the smallest prefix that holds both addresses.
func rangeOf(first, last netip.Addr) netip.Prefix {
	if !first.IsValid() || !last.IsValid() || first.BitLen() != last.BitLen() {
		return netip.Prefix{}
	}
	for bits := first.BitLen(); bits >= 0; bits-- {
		if p, err := first.Prefix(bits); err == nil && p.Contains(last) {
			return p
		}
	}
	return netip.Prefix{}
}

func networkAttrs(w *wire.Raw[wireNetwork]) *engine.NetworkAttrs {
	n := w.Value
	a := &engine.NetworkAttrs{
		ID: n.ID, Name: n.Name, Driver: n.Driver, Created: n.Created, Scope: "local", Internal: n.Internal, IPv6: n.IPv6Enabled, InterfaceName: n.NetworkInterface,
		Labels: n.Labels, Options: n.Options, Raw: w.Text,
	}
	for _, s := range n.Subnets {
		out := engine.Subnet{Gateway: parseAddr(s.Gateway)}
		out.Subnet, _ = netip.ParsePrefix(s.Subnet)
		if s.LeaseRange != nil {
			out.Range = rangeOf(parseAddr(s.LeaseRange.StartIP), parseAddr(s.LeaseRange.EndIP))
		}
		a.Subnets = append(a.Subnets, out)
	}
	for id, c := range n.Containers {
		if a.Containers == nil {
			a.Containers = map[string]engine.NetworkContainer{}
		}
		nc := engine.NetworkContainer{Name: c.Name}
		for _, i := range c.Interfaces {
			nc.MACAddress = i.MACAddress
			for _, s := range i.Subnets {
				if s.IPNet.Addr().Is4() {
					nc.IPv4 = s.IPNet
				} else {
					nc.IPv6 = s.IPNet
				}
			}
		}
		a.Containers[id] = nc
	}
	return a
}

// NetworkInspect implements [engine.Networks]. Before 5.0 the network's containers are looked up one by one.
func (e *Engine) NetworkInspect(ctx context.Context, name string) (*engine.NetworkAttrs, error) {
	path, err := objectPath("network", "/networks/", name, "/json")
	if err != nil {
		return nil, err
	}
	var w wire.Raw[wireNetwork]
	if err := e.call(ctx, op{"inspect network", name}, get(path), &w); err != nil {
		return nil, err
	}
	a := networkAttrs(&w)
	if a.Containers == nil {
		a.Containers = map[string]engine.NetworkContainer{}
		if e.version < vNetworkContainers {
			err = e.addContainers(ctx, a)
		}
	}
	return a, err
}

func (e *Engine) addContainers(ctx context.Context, a *engine.NetworkAttrs) error {
	list, err := e.ContainerList(ctx, engine.ListOptions{Filters: engine.Filters{"network": {a.Name}}})
	if err != nil {
		return err
	}
	for _, s := range list {
		c, err := e.ContainerInspect(ctx, s.ID, engine.InspectOptions{})
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		if n, ok := c.Networks[a.Name]; ok {
			a.Containers[c.ID] = engine.NetworkContainer{Name: c.Name, IPv4: n.IPv4, IPv6: n.IPv6, MACAddress: n.MACAddress}
		}
	}
	return nil
}

// NetworkList implements [engine.Networks].
func (e *Engine) NetworkList(ctx context.Context, filters engine.Filters) ([]engine.NetworkAttrs, error) {
	query, err := filterQuery(filters)
	if err != nil {
		return nil, err
	}
	var list []wire.Raw[wireNetwork]
	if err := e.call(ctx, op{verb: "list networks"}, wire.Request{Method: http.MethodGet, Path: "/networks/json", Query: query}, &list); err != nil {
		return nil, err
	}
	out := make([]engine.NetworkAttrs, 0, len(list))
	for i := range list {
		out = append(out, *networkAttrs(&list[i]))
	}
	return out, nil
}

// NetworkConnect implements [engine.Networks].
func (e *Engine) NetworkConnect(ctx context.Context, network, container string, ep engine.Endpoint) error {
	path, err := objectPath("network", "/networks/", network, "/connect")
	if err != nil {
		return err
	}
	name, err := checkName("container", container)
	if err != nil {
		return err
	}
	r := &refusals{e: e}
	w := e.endpoint(r, "Endpoint", ep)
	if err := r.err(); err != nil {
		return err
	}
	body := struct {
		Container string `json:"container"`
		wireNetworkOptions
	}{name, w}
	return e.call(ctx, op{"connect container " + container + " to network", network}, wire.Request{Method: http.MethodPost, Path: path, JSON: body}, nil)
}

// NetworkDisconnect implements [engine.Networks].
func (e *Engine) NetworkDisconnect(ctx context.Context, network, container string, force bool) error {
	path, err := objectPath("network", "/networks/", network, "/disconnect")
	if err != nil {
		return err
	}
	name, err := checkName("container", container)
	if err != nil {
		return err
	}
	body := struct {
		Container string
		Force     bool
	}{name, force}
	return e.call(ctx, op{"disconnect container " + container + " from network", network}, wire.Request{Method: http.MethodPost, Path: path, JSON: body}, nil)
}

// NetworkRemove implements [engine.Networks]. Forced, Podman would remove the network's containers with it: they are disconnected here instead.
func (e *Engine) NetworkRemove(ctx context.Context, name string, force bool) error {
	path, err := objectPath("network", "/networks/", name, "")
	if err != nil {
		return err
	}
	o := op{"remove network", name}
	remove := func() error {
		var list []struct {
			Name string
			Err  wireReportError
		}
		if err := e.call(ctx, o, wire.Request{Method: http.MethodDelete, Path: path}, &list); err != nil {
			return err
		}
		for _, n := range list {
			if n.Err != "" {
				return answerError(o, 0, "", string(n.Err))
			}
		}
		return nil
	}
	err = remove()
	if !force || !errors.Is(err, engine.ErrConflict) {
		return err
	}
	list, lerr := e.ContainerList(ctx, engine.ListOptions{All: true, Filters: engine.Filters{"network": {name}}})
	if lerr != nil {
		return err
	}
	for _, c := range list {
		if derr := e.NetworkDisconnect(ctx, name, c.ID, true); derr != nil && !isNotFound(derr) {
			return derr
		}
	}
	return remove()
}

// NetworkPrune implements [engine.Networks].
func (e *Engine) NetworkPrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	o := op{verb: "prune networks"}
	query, err := filterQuery(filters)
	if err != nil {
		return engine.PruneReport{}, err
	}
	r := wire.Request{Method: http.MethodPost, Path: "/networks/prune", Query: query}
	var list []struct {
		Name  string
		Error wireReportError
	}
	if err := e.call(ctx, o, r, &list); err != nil {
		return engine.PruneReport{}, err
	}
	reports := make([]wireReport, len(list))
	for i, n := range list {
		reports[i] = wireReport{ID: n.Name, Err: n.Error}
	}
	return pruned(o, reports)
}
