package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"

	"github.com/berthdev/berth/engine"
)

// Create makes a network. The name of another network is ErrConflict, and so is a subnet of another network.
// The bridge is made when the first container joins.
func (m *Manager) Create(ctx context.Context, opts engine.NetworkCreateOptions) (*engine.NetworkAttrs, error) {
	const op = "create network"
	c, err := m.fromOptions(opts)
	if err != nil {
		return nil, err
	}
	unlock, err := m.lockConfigs(ctx)
	if err != nil {
		return nil, fail(op, opts.Name, nil, "%v", err)
	}
	defer unlock()
	if _, err := os.Lstat(m.configPath(c.Name)); err == nil {
		return nil, fail(op, c.Name, engine.ErrConflict, "network with name %s already exists", c.Name)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fail(op, c.Name, nil, "%v", err)
	}
	files, err := m.files()
	if err != nil {
		return nil, fail(op, c.Name, nil, "%v", err)
	}
	if err := m.subnets(c, files); err != nil {
		return nil, err
	}
	for _, other := range files {
		if other.Interface == c.Interface {
			return nil, fail(op, c.Name, engine.ErrConflict, "the interface %s belongs to network %s", c.Interface, other.Name)
		}
	}
	if opts.InterfaceName != "" {
		if _, err := netlink.LinkByName(c.Interface); err == nil {
			return nil, fail(op, c.Name, engine.ErrConflict, "the host has an interface %s already", c.Interface)
		}
	}
	if err := writeJSON(m.configPath(c.Name), c); err != nil {
		return nil, fail(op, c.Name, nil, "%v", err)
	}
	a := c.attrs()
	a.Containers = map[string]engine.NetworkContainer{}
	return &a, nil
}

// subnets checks those that were asked for, and chooses what was not.
func (m *Manager) subnets(c *config, files []*config) error {
	const op = "create network"
	if c.subnet(false) == nil {
		s, err := chooseSubnet(false, files)
		if err != nil {
			return fail(op, c.Name, engine.ErrConflict, "%v", err)
		}
		c.Subnets = append([]engine.Subnet{s}, c.Subnets...)
	}
	if c.IPv6 && c.subnet(true) == nil {
		s, err := chooseSubnet6()
		if err != nil {
			return fail(op, c.Name, nil, "%v", err)
		}
		c.Subnets = append(c.Subnets, s)
	}
	for _, s := range c.Subnets {
		for _, other := range files {
			for _, o := range other.Subnets {
				if o.Subnet.Overlaps(s.Subnet) {
					return fail(op, c.Name, engine.ErrConflict, "pool overlaps with other one on this address space: %s and %s of network %s", s.Subnet, o.Subnet, other.Name)
				}
			}
		}
		family := netlink.FAMILY_V4
		if s.Subnet.Addr().Is6() {
			family = netlink.FAMILY_V6
		}
		routes, err := hostRoutes(family)
		if err != nil {
			return fail(op, c.Name, nil, "%v", err)
		}
		if slices.Contains(routes, s.Subnet) {
			return fail(op, c.Name, engine.ErrConflict, "pool overlaps with other one on this address space: the host has a route to %s", s.Subnet)
		}
	}
	return nil
}

// fromOptions checks what was asked for.
func (m *Manager) fromOptions(opts engine.NetworkCreateOptions) (*config, error) {
	const at = "NetworkCreateOptions."
	var errs []error
	invalid := func(option, value, reason string) {
		errs = append(errs, &engine.InvalidError{Option: at + option, Value: value, Reason: reason})
	}
	unsupported := func(option, value, reason string) {
		errs = append(errs, &engine.UnsupportedError{Option: at + option, Value: value, Engine: "embedded", Reason: reason})
	}
	id := newID()
	c := &config{
		ID: id, Name: opts.Name, Driver: "bridge", Created: now(),
		Internal: opts.Internal, IPv6: opts.IPv6, DNSDisabled: opts.DNSDisabled,
		Interface: bridgeName(id), Labels: opts.Labels, Options: opts.Options,
	}
	if m.opts.Rootless {
		unsupported("Driver", "bridge", "rootless: a bridge needs the rights of root on the host")
	}
	if !validName(opts.Name) {
		invalid("Name", opts.Name, "want letters, digits, '_', '.' and '-', a letter or digit first")
	} else if predefined(opts.Name) {
		invalid("Name", opts.Name, "operation is not permitted on predefined "+opts.Name+" network")
	}
	if opts.Driver != "" && opts.Driver != "bridge" {
		unsupported("Driver", opts.Driver, "bridge is the only driver")
	}
	if opts.Attachable {
		unsupported("Attachable", "true", "it belongs to Docker Swarm")
	}
	if d := opts.IPAMDriver; d != "" && d != "default" && d != "host-local" {
		unsupported("IPAMDriver", d, "")
	}
	for _, k := range sortedKeys(opts.IPAMOptions) {
		unsupported("IPAMOptions", k, "")
	}
	for i, s := range opts.Subnets {
		option := "Subnets[" + strconv.Itoa(i) + "]"
		if !s.Subnet.IsValid() {
			invalid(option, "", "the subnet is empty")
			continue
		}
		full, err := complete(s)
		if err != nil {
			invalid(option, s.Subnet.String(), err.Error())
			continue
		}
		if c.subnet(s.Subnet.Addr().Is6()) != nil {
			unsupported(option, s.Subnet.String(), "a network has one subnet of each family")
			continue
		}
		c.Subnets = append(c.Subnets, full)
		c.IPv6 = c.IPv6 || s.Subnet.Addr().Is6()
	}
	for _, k := range sortedKeys(opts.Options) {
		if known, err := c.option(k, opts.Options[k]); err != nil {
			invalid("Options", k+"="+opts.Options[k], err.Error())
		} else if !known {
			unsupported("Options", k, "")
		}
	}
	if opts.InterfaceName != "" {
		c.Interface = opts.InterfaceName
	}
	if n := c.Interface; len(n) > 15 || n == "" || n == "." || n == ".." || strings.ContainsAny(n, "/: \t\n%") {
		invalid("InterfaceName", n, "no name of an interface")
	}
	return c, errors.Join(errs...)
}

// option sets a driver option. Those of Docker's and Podman's bridge drivers that exist here are known; one
// in a namespace that belongs to no driver ("com.example.x") is kept for inspect.
func (c *config) option(k, v string) (known bool, err error) {
	on := func(set func(bool)) (bool, error) {
		b, err := strconv.ParseBool(v)
		if err != nil {
			return true, errors.New("want true or false")
		}
		set(b)
		return true, nil
	}
	switch k {
	case "com.docker.network.driver.mtu", "mtu":
		n, err := strconv.Atoi(v)
		if err != nil || n < 68 || n > 65535 {
			return true, errors.New("want a number of bytes from 68 to 65535")
		}
		c.MTU = n
		return true, nil
	case "com.docker.network.bridge.name":
		c.Interface = v
		return true, nil
	case "com.docker.network.bridge.enable_ip_masquerade":
		return on(func(b bool) { c.NoMasquerade = !b })
	case "com.docker.network.bridge.enable_icc":
		return on(func(b bool) { c.Isolated = !b })
	case "com.docker.network.container_iface_prefix":
		if v == "" || len(v) > 10 || strings.ContainsAny(v, "/: \t\n%") {
			return true, errors.New("no start of an interface's name")
		}
		c.Prefix = v
		return true, nil
	case "com.docker.network.bridge.host_binding_ipv4":
		a, err := netip.ParseAddr(v)
		if err != nil || !a.Is4() {
			return true, errors.New("want an IPv4 address")
		}
		c.HostIP = a
		return true, nil
	}
	return strings.Contains(k, ".") && !strings.HasPrefix(k, "com.docker."), nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// joinText is a list for an error's text.
func joinText(list []string) string {
	if len(list) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:3], ", "), len(list)-3)
	}
	return strings.Join(list, ", ")
}
