package network

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// An accept in our table does not override a drop in another one at the same hook. So where a firewall drops forwarded
// packets (Docker sets the policy of FORWARD to drop, ufw and firewalld do alike), a container would have no network, in silence. Here
// the rules of the others are read as the kernel would run them, for the packets that a network needs. What
// cannot be known (a mark, a rate, a port) is taken as "does not match".

// block is a chain that drops packets of a bridge.
type block struct {
	table, chain string
	family       family
	legacy       bool // of the iptables before nftables
	packet       packet
}

// checkForward says whether the packets of a network get through, and opens DOCKER-USER for them where that exists.
// published: packets to published ports come from outside.
func (m *Manager) checkForward(ctx context.Context, c *config, published bool) error {
	if m.opts.NoForwardCheck || c.Internal {
		return nil
	}
	b, err := blocked(c, published)
	if err != nil {
		// What cannot be read cannot be judged: the container may have its network all the same.
		m.log().Warn("read the host's firewall", "err", err)
		return nil
	}
	if b == nil {
		return nil
	}
	if !b.legacy {
		// One adds the rules; who has waited for it finds them.
		unlock, err := m.lock(ctx)
		if err != nil {
			return err
		}
		defer unlock()
		if b, err = blocked(c, published); err != nil || b == nil {
			return err
		}
	}
	if !b.legacy {
		added, err := addAccepts(b.family, b.table, c.Interface)
		if err != nil {
			return err
		}
		if added {
			first := *b
			if b, err = blocked(c, published); err == nil && b == nil {
				return nil
			}
			if b != nil && b.family != first.family && !b.legacy {
				// IPv6 has rules of its own.
				if added, err = addAccepts(b.family, b.table, c.Interface); err == nil && added {
					if b, err = blocked(c, published); err == nil && b == nil {
						return nil
					}
				}
			}
			removeAccepts(c.Interface)
			if b == nil {
				b = &first
			}
		}
	}
	return b.err(c)
}

// err names the chain and the command.
func (b *block) err(c *config) error {
	kind := b.family.name()
	if b.legacy {
		kind = "iptables-legacy"
	}
	return &engine.APIError{Engine: "embedded", Op: "connect network", Object: c.Name,
		Message: fmt.Sprintf("the host's firewall drops %s: chain %s of table %s (%s). Allow them with: %s", b.packet.what, b.chain, b.table, kind, b.command(c))}
}

// command is what lets the packets of our bridges through.
func (b *block) command(c *config) string {
	name, wild := c.Interface, ""
	if strings.HasPrefix(name, bridgePrefix) {
		name, wild = bridgePrefix, "*"
	}
	if b.table == "filter" && b.chain == "FORWARD" && b.family != family(nftables.TableFamilyINet) {
		program := "iptables"
		if b.family == family(nftables.TableFamilyIPv6) {
			program = "ip6tables"
		}
		if b.legacy {
			program += "-legacy"
		}
		if wild != "" {
			wild = "+"
		}
		return fmt.Sprintf("%[1]s -I FORWARD -i %[2]s%[3]s -j ACCEPT && %[1]s -I FORWARD -o %[2]s%[3]s -j ACCEPT", program, name, wild)
	}
	rule := func(key string) string {
		return fmt.Sprintf("insert rule %s %s %s %s %q accept", b.family.name(), b.table, b.chain, key, name+wild)
	}
	return "nft '" + rule("iifname") + "; " + rule("oifname") + "'"
}

// packet is a packet that a network needs forwarded.
type packet struct {
	what        string
	v6          bool
	in, out     string // interfaces; "" is not known
	inID, outID int
	src, dst    netip.Addr // zero is not known
	state       byte       // ct state
	dnat        bool
}

// packets are those that a network needs.
func (c *config) packets(published bool) []packet {
	var list []packet
	id := func(name string) int {
		if i, err := net.InterfaceByName(name); err == nil {
			return i.Index
		}
		return 0
	}
	bridge := id(c.Interface)
	for _, s := range c.Subnets {
		v6 := s.Subnet.Addr().Is6()
		out := defaultInterface(v6)
		if out == "" && v6 {
			continue // the host has no way out itself
		}
		index := id(out)
		a := s.Gateway.Next()
		if !s.Subnet.Contains(a) {
			a = s.Subnet.Addr().Next()
		}
		list = append(list,
			packet{what: "packets of containers", v6: v6, in: c.Interface, inID: bridge, out: out, outID: index, src: a, state: ctNew},
			packet{what: "answers to containers", v6: v6, in: out, inID: index, out: c.Interface, outID: bridge, dst: a, state: ctEstablished})
		if published {
			list = append(list, packet{what: "packets to published ports", v6: v6, in: out, inID: index, out: c.Interface, outID: bridge, dst: a, state: ctNew, dnat: true})
		}
	}
	return list
}

// defaultInterface is the interface of the default route, "" if there is none.
func defaultInterface(v6 bool) string {
	family := netlink.FAMILY_V4
	if v6 {
		family = netlink.FAMILY_V6
	}
	list, err := netlink.RouteList(nil, family)
	if err != nil {
		return ""
	}
	for _, r := range list {
		if r.Dst != nil {
			if bits, _ := r.Dst.Mask.Size(); bits != 0 {
				continue
			}
		}
		if link, err := netlink.LinkByIndex(r.LinkIndex); err == nil && r.LinkIndex != 0 {
			return link.Attrs().Name
		}
	}
	return ""
}

// blocked returns the first chain that drops a packet of the network; nil if none does.
func blocked(c *config, published bool) (*block, error) {
	conn, err := nftables.New(nftables.AsLasting())
	if err != nil {
		return nil, fmt.Errorf("open nftables: %w", err)
	}
	defer conn.CloseLasting()
	chains, err := conn.ListChains()
	if err != nil {
		return nil, fmt.Errorf("list nftables chains: %w", err)
	}
	legacy, err := legacyChains()
	if err != nil {
		return nil, err
	}
	var packets []packet
	for _, ch := range chains {
		if ch.Hooknum == nil || *ch.Hooknum != *nftables.ChainHookForward || ch.Type != nftables.ChainTypeFilter ||
			ch.Table.Name == "berth" || strings.HasPrefix(ch.Table.Name, "berth-") {
			continue
		}
		if packets == nil {
			packets = c.packets(published)
		}
		for _, p := range packets {
			if ch.Table.Family != nftables.TableFamilyINet && (ch.Table.Family == nftables.TableFamilyIPv6) != p.v6 {
				continue
			}
			switch ch.Table.Family {
			case nftables.TableFamilyINet, nftables.TableFamilyIPv4, nftables.TableFamilyIPv6:
			default:
				continue
			}
			r := &runner{conn: conn, table: ch.Table, packet: p}
			v := r.chain(ch.Name, 0)
			if r.err != nil {
				return nil, r.err
			}
			if v == verdictNone && ch.Policy != nil && *ch.Policy == nftables.ChainPolicyDrop {
				v = verdictDrop
			}
			if v == verdictDrop {
				return &block{table: ch.Table.Name, chain: ch.Name, family: family(ch.Table.Family), packet: p}, nil
			}
		}
	}
	for _, l := range legacy {
		for _, p := range c.packets(published) {
			if p.v6 == l.v6 && l.run(p) == verdictDrop {
				f := nftables.TableFamilyIPv4
				if l.v6 {
					f = nftables.TableFamilyIPv6
				}
				return &block{table: "filter", chain: "FORWARD", family: family(f), legacy: true, packet: p}, nil
			}
		}
	}
	return nil, nil
}

// The chain that Docker makes for its users' rules.
const userChain = "DOCKER-USER"

// acceptTag is the comment of our rules in it.
const acceptTag = "berth"

// addAccepts adds rules that accept what comes from and goes to a bridge, where the table has the chain DOCKER-USER.
func addAccepts(f family, tableName, bridge string) (bool, error) {
	conn, err := nftables.New(nftables.AsLasting())
	if err != nil {
		return false, fmt.Errorf("open nftables: %w", err)
	}
	defer conn.CloseLasting()
	t := &nftables.Table{Family: nftables.TableFamily(f), Name: tableName}
	if _, err := conn.ListChain(t, userChain); err != nil {
		return false, nil
	}
	for _, key := range []expr.MetaKey{expr.MetaKeyOIFNAME, expr.MetaKeyIIFNAME} {
		conn.InsertRule(&nftables.Rule{
			Table: t, Chain: &nftables.Chain{Table: t, Name: userChain},
			Exprs: []expr.Any{
				// As iptables writes and shows them.
				&expr.Meta{Key: key, Register: unix.NFT_REG_1},
				&expr.Cmp{Op: expr.CmpOpEq, Register: unix.NFT_REG_1, Data: append([]byte(bridge), 0)},
				&expr.Counter{},
				&expr.Verdict{Kind: expr.VerdictAccept},
			},
			UserData: userdata.AppendString(nil, userdata.TypeComment, acceptTag),
		})
	}
	if err := conn.Flush(); err != nil {
		return false, fmt.Errorf("add rules to chain %s: %w", userChain, err)
	}
	return true, nil
}

// removeAccepts removes what addAccepts has added for a bridge.
func removeAccepts(bridge string) error {
	conn, err := nftables.New(nftables.AsLasting())
	if err != nil {
		return fmt.Errorf("open nftables: %w", err)
	}
	defer conn.CloseLasting()
	for _, f := range []nftables.TableFamily{nftables.TableFamilyIPv4, nftables.TableFamilyIPv6} {
		t := &nftables.Table{Family: f, Name: "filter"}
		if _, err := conn.ListChain(t, userChain); err != nil {
			continue
		}
		ch := &nftables.Chain{Table: t, Name: userChain}
		rules, err := conn.GetRules(t, ch)
		if err != nil {
			return fmt.Errorf("read chain %s: %w", userChain, err)
		}
		for _, r := range rules {
			if tag, ok := userdata.GetString(r.UserData, userdata.TypeComment); !ok || tag != acceptTag || len(r.Exprs) < 2 {
				continue
			}
			if cmp, ok := r.Exprs[1].(*expr.Cmp); ok && strings.TrimRight(string(cmp.Data), "\x00") == bridge {
				r.Table, r.Chain = t, ch
				if err := conn.DelRule(r); err != nil {
					return err
				}
			}
		}
	}
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("remove rules from chain %s: %w", userChain, err)
	}
	return nil
}

// family is a table's family.
type family nftables.TableFamily

func (f family) name() string {
	switch nftables.TableFamily(f) {
	case nftables.TableFamilyIPv4:
		return "ip"
	case nftables.TableFamilyIPv6:
		return "ip6"
	}
	return "inet"
}
