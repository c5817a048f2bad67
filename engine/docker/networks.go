package docker

import (
	"context"
	"maps"
	"net/http"
	"net/netip"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
	"github.com/berthdev/berth/internal/wire"
)

// optBridgeName is the bridge driver's option for the name of its interface.
const optBridgeName = "com.docker.network.bridge.name"

// wireNetwork is the answer of GET /networks/{id}.
type wireNetwork struct {
	Name       string
	ID         string `json:"Id"`
	Created    wireTime
	Scope      string
	Driver     string
	EnableIPv6 bool
	IPAM       wireIPAM
	Internal   bool
	Containers map[string]struct {
		Name        string
		MacAddress  string
		IPv4Address string
		IPv6Address string
	}
	Options map[string]string
	Labels  map[string]string
}

type wireIPAM struct {
	Driver  string            `json:",omitempty"`
	Options map[string]string `json:",omitempty"`
	Config  []wireIPAMConfig  `json:",omitempty"`
}

type wireIPAMConfig struct {
	Subnet  string `json:",omitempty"`
	IPRange string `json:",omitempty"`
	Gateway string `json:",omitempty"`
}

// wireNetworkCreate is the body of POST /networks/create.
type wireNetworkCreate struct {
	Name           string
	CheckDuplicate bool
	Driver         string            `json:",omitempty"`
	Internal       bool              `json:",omitempty"`
	Attachable     bool              `json:",omitempty"`
	EnableIPv6     bool              `json:",omitempty"`
	IPAM           *wireIPAM         `json:",omitempty"`
	Options        map[string]string `json:",omitempty"`
	Labels         map[string]string `json:",omitempty"`
}

// wireConnect is the body of POST /networks/{id}/connect.
type wireConnect struct {
	Container      string
	EndpointConfig *wireEndpoint `json:",omitempty"`
}

// NetworkCreate implements [engine.Networks].
func (e *Engine) NetworkCreate(ctx context.Context, opts engine.NetworkCreateOptions) (*engine.NetworkAttrs, error) {
	r := &refusals{e: e}
	r.unless(!opts.DNSDisabled, "NetworkCreateOptions.DNSDisabled", "true", "")
	body := wireNetworkCreate{
		Name:           opts.Name,
		CheckDuplicate: true, // older engines make a second network of the same name without it
		Driver:         opts.Driver,
		Internal:       opts.Internal,
		Attachable:     opts.Attachable,
		EnableIPv6:     opts.IPv6,
		Options:        opts.Options,
		Labels:         opts.Labels,
	}
	if opts.Name == "" {
		r.invalid("NetworkCreateOptions.Name", "", "empty")
	}
	if opts.InterfaceName != "" {
		r.unless(opts.Driver == "" || opts.Driver == "bridge", "NetworkCreateOptions.InterfaceName", opts.InterfaceName, "only the bridge driver names its interface")
		body.Options = maps.Clone(opts.Options)
		if body.Options == nil {
			body.Options = map[string]string{}
		}
		body.Options[optBridgeName] = opts.InterfaceName
	}
	if len(opts.Subnets) > 0 || opts.IPAMDriver != "" || len(opts.IPAMOptions) > 0 {
		body.IPAM = &wireIPAM{Driver: opts.IPAMDriver, Options: opts.IPAMOptions}
		for _, s := range opts.Subnets {
			body.IPAM.Config = append(body.IPAM.Config, wireIPAMConfig{Subnet: prefixText(s.Subnet), IPRange: prefixText(s.Range), Gateway: addr(s.Gateway)})
		}
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	var out struct {
		ID string `json:"Id"`
	}
	if err := e.call(ctx, op{"create network", opts.Name}, wire.Request{Method: http.MethodPost, Path: "/networks/create", JSON: body}, &out); err != nil {
		return nil, err
	}
	return e.NetworkInspect(ctx, out.ID)
}

func prefixText(p netip.Prefix) string {
	if !p.IsValid() {
		return ""
	}
	return p.String()
}

// NetworkInspect implements [engine.Networks].
func (e *Engine) NetworkInspect(ctx context.Context, name string) (*engine.NetworkAttrs, error) {
	path, err := networkPath(name, "")
	if err != nil {
		return nil, err
	}
	o := op{"inspect network", name}
	var answer wire.Raw[wireNetwork]
	if err := e.call(ctx, o, get(path), &answer); err != nil {
		return nil, err
	}
	return new(networkAttrs(&answer)), nil
}

// NetworkList implements [engine.Networks].
func (e *Engine) NetworkList(ctx context.Context, filters engine.Filters) ([]engine.NetworkAttrs, error) {
	query, err := filterQuery(filters)
	if err != nil {
		return nil, err
	}
	o := op{"list networks", ""}
	var list []wire.Raw[wireNetwork]
	if err := e.call(ctx, o, wire.Request{Method: http.MethodGet, Path: "/networks", Query: query}, &list); err != nil {
		return nil, err
	}
	out := make([]engine.NetworkAttrs, 0, len(list))
	for i := range list {
		n := networkAttrs(&list[i])
		n.Containers = nil
		out = append(out, n)
	}
	normal.SortBy(out, func(a, b engine.NetworkAttrs) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func networkAttrs(answer *wire.Raw[wireNetwork]) engine.NetworkAttrs {
	w := &answer.Value
	n := engine.NetworkAttrs{
		ID:       w.ID,
		Name:     w.Name,
		Driver:   w.Driver,
		Created:  w.Created.Time,
		Scope:    w.Scope,
		Internal: w.Internal,
		IPv6:     w.EnableIPv6,
		Labels:   w.Labels,
		Options:  w.Options,
		Raw:      answer.Text,
	}
	if w.Driver == "bridge" {
		n.InterfaceName = w.Options[optBridgeName]
		if n.InterfaceName == "" && len(w.ID) >= 12 {
			n.InterfaceName = "br-" + w.ID[:12]
		}
	}
	for _, c := range w.IPAM.Config {
		n.Subnets = append(n.Subnets, engine.Subnet{Subnet: parsePrefix(c.Subnet), Range: parsePrefix(c.IPRange), Gateway: parseAddr(c.Gateway)})
	}
	n.Containers = make(map[string]engine.NetworkContainer, len(w.Containers))
	for id, c := range w.Containers {
		n.Containers[id] = engine.NetworkContainer{Name: c.Name, IPv4: parsePrefix(c.IPv4Address), IPv6: parsePrefix(c.IPv6Address), MACAddress: c.MacAddress}
	}
	return n
}

// parsePrefix is the zero prefix for what is none.
func parsePrefix(s string) netip.Prefix {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// NetworkConnect implements [engine.Networks].
func (e *Engine) NetworkConnect(ctx context.Context, network, container string, ep engine.Endpoint) error {
	path, err := networkPath(network, "/connect")
	if err != nil {
		return err
	}
	if container, err = checkName("container", container); err != nil {
		return err
	}
	r := &refusals{e: e}
	ep.Network = network
	w := e.endpoint(r, "Endpoint", ep)
	r.unless(ep.MACAddress == "", "Endpoint.MACAddress", ep.MACAddress, "Docker 20.10 to 28.5 ignore it in a later connection: give it in Spec.Networks")
	if err := r.err(); err != nil {
		return err
	}
	body := wireConnect{Container: container, EndpointConfig: w}
	return e.call(ctx, op{"connect container", container + " to network " + network}, wire.Request{Method: http.MethodPost, Path: path, JSON: body}, nil)
}

// NetworkDisconnect implements [engine.Networks].
func (e *Engine) NetworkDisconnect(ctx context.Context, network, container string, force bool) error {
	path, err := networkPath(network, "/disconnect")
	if err != nil {
		return err
	}
	if container, err = checkName("container", container); err != nil {
		return err
	}
	body := struct {
		Container string
		Force     bool `json:",omitempty"`
	}{container, force}
	return e.call(ctx, op{"disconnect container", container + " from network " + network}, wire.Request{Method: http.MethodPost, Path: path, JSON: body}, nil)
}

// NetworkRemove implements [engine.Networks].
func (e *Engine) NetworkRemove(ctx context.Context, name string, force bool) error {
	path, err := networkPath(name, "")
	if err != nil {
		return err
	}
	if force {
		return &engine.UnsupportedError{Option: "NetworkRemove.Force", Value: "true", Engine: Name, Reason: "disconnect the network's containers first"}
	}
	return e.call(ctx, op{"remove network", name}, wire.Request{Method: http.MethodDelete, Path: path}, nil)
}

// NetworkPrune implements [engine.Networks].
func (e *Engine) NetworkPrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	w, err := e.prune(ctx, "networks", "/networks/prune", filters)
	return engine.PruneReport{Deleted: w.NetworksDeleted}, err
}

func networkPath(name, suffix string) (string, error) {
	name, err := checkName("network", name)
	return "/networks/" + wire.Escape(name) + suffix, err
}
