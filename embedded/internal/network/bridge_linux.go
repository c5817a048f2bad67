package network

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ensure makes the bridge of a network and its place in the table, if they are not there. It
// returns the bridge. The caller has the run directory's lock.
func (m *Manager) ensure(c *config, t *table) (netlink.Link, error) {
	there, err := t.exists()
	if err != nil {
		return nil, err
	}
	if !there {
		if err := m.rebuild(t); err != nil {
			return nil, err
		}
	}
	link, err := netlink.LinkByName(c.Interface)
	if err == nil {
		if !m.owns(c, link) {
			return nil, fmt.Errorf("the host's interface %s is not the bridge of network %s", c.Interface, c.Name)
		}
		if link.Attrs().Flags&net.FlagUp != 0 {
			return link, nil
		}
		// Its maker has died in the middle.
	} else if !errors.As(err, new(netlink.LinkNotFoundError)) {
		return nil, fmt.Errorf("find bridge %s: %w", c.Interface, err)
	}
	if err := m.forwarding(c); err != nil {
		return nil, err
	}
	if link == nil {
		mtu := c.MTU
		if mtu == 0 {
			mtu = defaultMTU()
		}
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.MTU = c.Interface, mtu
		if attrs.HardwareAddr, err = c.hardwareAddr(); err != nil {
			return nil, err
		}
		if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}); err != nil {
			return nil, fmt.Errorf("make bridge %s: %w", c.Interface, err)
		}
		if link, err = netlink.LinkByName(c.Interface); err != nil {
			return nil, fmt.Errorf("find bridge %s: %w", c.Interface, err)
		}
	}
	if link.Attrs().Alias == "" {
		if err := netlink.LinkSetAlias(link, m.alias(c)); err != nil {
			netlink.LinkDel(link)
			return nil, fmt.Errorf("name the owner of bridge %s: %w", c.Interface, err)
		}
	}
	if err := ipv6(c.Interface, c.subnet(true) != nil); err != nil {
		return nil, err
	}
	if c.subnet(true) != nil {
		// The kernel asks for neighbours from its link-local address, which it would not use for up to two seconds.
		if err := setSysctl("net/ipv6/conf/"+c.Interface+"/accept_dad", "0"); err != nil {
			return nil, err
		}
	}
	for _, s := range c.Subnets {
		if err := addAddr(nil, link, netip.PrefixFrom(s.Gateway, s.Subnet.Bits())); err != nil {
			return nil, fmt.Errorf("give %s the address %s: %w", c.Interface, s.Gateway, err)
		}
	}
	// Elements before the bridge is up: it never forwards without them. If its maker died in the middle they are there.
	if err := t.addNetwork(c); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, err
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return nil, fmt.Errorf("set bridge %s up: %w", c.Interface, err)
	}
	return link, nil
}

// hardwareAddr is a bridge's address. It is fixed: else it changes with the ports.
func (c *config) hardwareAddr() (net.HardwareAddr, error) {
	id, err := hex.DecodeString(c.ID[:min(8, len(c.ID))])
	if err != nil || len(id) != 4 {
		return nil, fmt.Errorf("network %s has the ID %q", c.Name, c.ID)
	}
	return append(net.HardwareAddr{0x02, 0x42}, id...), nil
}

// owns says whether an interface is the bridge of the network. One without alias is if its maker has died before it gave
// it the alias, which cannot be done while it is made: such a one is down, and has the network's address.
func (m *Manager) owns(c *config, link netlink.Link) bool {
	a := link.Attrs()
	if link.Type() != "bridge" || a.Alias != "" || a.Flags&net.FlagUp != 0 {
		return link.Type() == "bridge" && a.Alias == m.alias(c)
	}
	mac, err := c.hardwareAddr()
	return err == nil && bytes.Equal(mac, a.HardwareAddr)
}

// alias marks a bridge as the one of a network of this run directory.
func (m *Manager) alias(c *config) string { return tableName(m.run) + " " + c.ID }

// rebuild makes the table with all networks whose bridges exist and all ports of the living.
func (m *Manager) rebuild(t *table) error {
	if err := t.build(); err != nil {
		return err
	}
	nets, err := m.files()
	if err != nil {
		return err
	}
	for _, c := range nets {
		if link, err := netlink.LinkByName(c.Interface); err == nil && link.Attrs().Alias == m.alias(c) {
			if err := t.addNetwork(c); err != nil {
				return err
			}
		}
	}
	ids, err := m.records()
	if err != nil {
		return err
	}
	for _, id := range ids {
		if r, err := m.readRecord(id); err == nil && r != nil && m.alive(id) {
			if err := t.addPorts(r.Ports); err != nil && !errors.Is(err, unix.EEXIST) {
				return err
			}
		}
	}
	return nil
}

// teardown removes the bridge and the elements of a network. The caller has the lock and knows that nobody is in it.
func (m *Manager) teardown(c *config) error {
	link, err := netlink.LinkByName(c.Interface)
	switch {
	case err == nil && m.owns(c, link):
		if err := netlink.LinkDel(link); err != nil && !errors.Is(err, unix.ENODEV) {
			return fmt.Errorf("remove bridge %s: %w", c.Interface, err)
		}
	case err != nil && !errors.As(err, new(netlink.LinkNotFoundError)):
		return fmt.Errorf("find bridge %s: %w", c.Interface, err)
	}
	if err := removeAccepts(c.Interface); err != nil {
		return err
	}
	t, err := openTable(m.run)
	if err != nil {
		return err
	}
	defer t.close()
	if there, err := t.exists(); err != nil || !there {
		return err
	}
	if err := t.removeNetwork(c); err != nil {
		return err
	}
	return m.dropEmptyTable()
}

// defaultMTU is the MTU of the default route: that of the route itself, else of its interface; 1500 without one.
func defaultMTU() int {
	const standard = 1500
	list, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return standard
	}
	best, mtu := -1, standard
	for _, r := range list {
		if r.Dst != nil && !r.Dst.IP.IsUnspecified() || best >= 0 && r.Priority >= best {
			continue
		}
		index := r.LinkIndex
		if index == 0 && len(r.MultiPath) > 0 {
			index = r.MultiPath[0].LinkIndex
		}
		n := r.MTU
		if n == 0 {
			link, err := netlink.LinkByIndex(index)
			if err != nil {
				continue
			}
			n = link.Attrs().MTU
		}
		best, mtu = r.Priority, n
	}
	// 68 is the least that IPv4 allows, 65535 the most a bridge does.
	return min(max(mtu, 68), 65535)
}

// forwarding lets the host forward packets where it does not yet.
func (m *Manager) forwarding(c *config) error {
	if c.Internal {
		return nil
	}
	if err := setSysctl("net/ipv4/ip_forward", "1"); err != nil {
		return err
	}
	if c.subnet(true) == nil {
		return nil
	}
	const all = "net/ipv6/conf/all/forwarding"
	if v, err := readSysctl(all); err != nil {
		return fmt.Errorf("network %s has an IPv6 subnet and the host has no IPv6: %w", c.Name, err)
	} else if v == "1" {
		return nil
	}
	// A host that forwards ignores router advertisements unless accept_ra is 2.
	list, err := os.ReadDir("/proc/sys/net/ipv6/conf")
	if err != nil {
		return err
	}
	for _, e := range list {
		path := "net/ipv6/conf/" + e.Name() + "/accept_ra"
		if v, err := readSysctl(path); err == nil && v == "1" && e.Name() != "all" && e.Name() != "default" {
			if err := setSysctl(path, "2"); err != nil {
				return err
			}
		}
	}
	return setSysctl(all, "1")
}
