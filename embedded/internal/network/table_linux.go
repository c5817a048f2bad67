package network

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// defaultRun is the run directory whose table is called berth alone.
const defaultRun = "/run/berth"

// tableName is the name of the table of this run directory: several may be in use on one host.
func tableName(run string) string {
	if run == defaultRun || strings.HasPrefix(run, defaultRun+"/") {
		return "berth"
	}
	sum := sha256.Sum256([]byte(run))
	return "berth-" + hex.EncodeToString(sum[:4])
}

// table is our nftables table, in the network namespace of the calling thread.
//
// Its rules never change: networks and ports are elements of its sets, so that one comes and goes in one
// transaction, without handles of rules to remember.
type table struct {
	conn  *nftables.Conn
	table *nftables.Table
}

// openTable opens a socket; close it.
func openTable(run string) (*table, error) {
	c, err := nftables.New(nftables.AsLasting())
	if err != nil {
		return nil, fmt.Errorf("open nftables: %w", err)
	}
	return &table{c, &nftables.Table{Family: nftables.TableFamilyINet, Name: tableName(run)}}, nil
}

func (t *table) close() { t.conn.CloseLasting() }

// exists says whether the table is there. Others may have flushed it away.
func (t *table) exists() (bool, error) {
	_, err := t.conn.ListTableOfFamily(t.table.Name, t.table.Family)
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	return err == nil, err
}

// The sets. A port's key is protocol and port, for one address of the host the address before them.
var (
	protoPort   = nftables.MustConcatSetType(nftables.TypeInetProto, nftables.TypeInetService)
	ipProtoPort = nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeInetProto, nftables.TypeInetService)
	ip6Proto    = nftables.MustConcatSetType(nftables.TypeIP6Addr, nftables.TypeInetProto, nftables.TypeInetService)
	ipPort      = nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeInetService)
	ip6Port     = nftables.MustConcatSetType(nftables.TypeIP6Addr, nftables.TypeInetService)
	ifPair      = nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeIFName)
)

// set returns the set of that name as the kernel has it.
func (t *table) set(name string) *nftables.Set {
	s := &nftables.Set{Table: t.table, Name: name}
	switch name {
	case "bridges", "internal": // our bridges; those of internal networks
		s.KeyType = nftables.TypeIFName
	case "same": // (bridge, bridge)
		s.KeyType, s.Concatenation = ifPair, true
	case "masquerade4":
		s.KeyType, s.Interval = nftables.TypeIPAddr, true
	case "masquerade6":
		s.KeyType, s.Interval = nftables.TypeIP6Addr, true
	case "ports4":
		s.KeyType, s.DataType, s.IsMap, s.Concatenation = protoPort, ipPort, true, true
	case "ports6":
		s.KeyType, s.DataType, s.IsMap, s.Concatenation = protoPort, ip6Port, true, true
	case "addressports4":
		s.KeyType, s.DataType, s.IsMap, s.Concatenation = ipProtoPort, ipPort, true, true
	case "addressports6":
		s.KeyType, s.DataType, s.IsMap, s.Concatenation = ip6Proto, ip6Port, true, true
	}
	return s
}

var setNames = [...]string{"bridges", "internal", "same", "masquerade4", "masquerade6", "ports4", "ports6", "addressports4", "addressports6"}

// Registers of 4 bytes; the 16 byte ones 1 and 2 are the same as 8 to 11 and 12 to 15.
const reg = unix.NFT_REG32_00

// build makes the table. As nft prints it:
//
//	chain prerouting { type nat hook prerouting priority dstnat
//		iifname @bridges accept
//		fib daddr type != local accept
//		dnat ip to ip daddr . meta l4proto . th dport map @addressports4
//		dnat ip to meta l4proto . th dport map @ports4
//		… the same for ip6 … }
//	chain forward { type filter hook forward priority filter
//		ct state established,related accept
//		iifname . oifname @same accept
//		iifname @internal drop
//		oifname @internal drop
//		oifname @bridges ct status dnat accept
//		oifname @bridges drop }
//	chain postrouting { type nat hook postrouting priority srcnat
//		oifname @bridges accept
//		ip saddr @masquerade4 masquerade
//		ip6 saddr @masquerade6 masquerade }
//
// The last drop keeps networks apart from each other and from other machines: only what a container began, and
// published ports, comes in.
func (t *table) build() error {
	c := t.conn
	c.AddTable(t.table)
	sets := map[string]*nftables.Set{}
	for _, name := range setNames {
		s := t.set(name)
		if err := c.AddSet(s, nil); err != nil {
			return err
		}
		sets[name] = s
	}
	accept := &expr.Verdict{Kind: expr.VerdictAccept}
	drop := &expr.Verdict{Kind: expr.VerdictDrop}
	in := func(dest uint32) expr.Any { return &expr.Meta{Key: expr.MetaKeyIIFNAME, Register: dest} }
	out := func(dest uint32) expr.Any { return &expr.Meta{Key: expr.MetaKeyOIFNAME, Register: dest} }
	lookup := func(name string) expr.Any {
		return &expr.Lookup{SourceRegister: reg, SetName: name, SetID: sets[name].ID}
	}
	family := func(p byte) []expr.Any {
		return []expr.Any{&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: reg}, &expr.Cmp{Op: expr.CmpOpEq, Register: reg, Data: []byte{p}}}
	}
	chain := func(name string, typ nftables.ChainType, hook *nftables.ChainHook, prio *nftables.ChainPriority) func(...expr.Any) {
		ch := c.AddChain(&nftables.Chain{Name: name, Table: t.table, Type: typ, Hooknum: hook, Priority: prio})
		return func(e ...expr.Any) { c.AddRule(&nftables.Rule{Table: t.table, Chain: ch, Exprs: e}) }
	}

	pre := chain("prerouting", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest)
	pre(in(reg), lookup("bridges"), accept)
	local := []byte{unix.RTN_LOCAL, 0, 0, 0}
	pre(&expr.Fib{Register: reg, FlagDADDR: true, ResultADDRTYPE: true}, &expr.Cmp{Op: expr.CmpOpNeq, Register: reg, Data: local}, accept)
	for _, f := range []struct {
		proto, at, plain string
		family           byte
		offset, length   uint32
	}{
		{"ip", "addressports4", "ports4", unix.NFPROTO_IPV4, 16, 4},
		{"ip6", "addressports6", "ports6", unix.NFPROTO_IPV6, 24, 16},
	} {
		words := f.length / 4
		to := func(set string, first uint32) []expr.Any {
			return []expr.Any{
				&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: first},
				&expr.Payload{DestRegister: first + 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
				&expr.Lookup{SourceRegister: reg, DestRegister: reg, IsDestRegSet: true, SetName: set, SetID: sets[set].ID},
				&expr.NAT{Type: expr.NATTypeDestNAT, Family: uint32(f.family), RegAddrMin: reg, RegProtoMin: reg + words, Specified: true},
			}
		}
		daddr := append(family(f.family), &expr.Payload{DestRegister: reg, Base: expr.PayloadBaseNetworkHeader, Offset: f.offset, Len: f.length})
		pre(append(daddr, to(f.at, reg+words)...)...)
		pre(append(family(f.family), to(f.plain, reg)...)...)
	}

	fwd := chain("forward", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter)
	bit := func(key expr.CtKey, mask byte) []expr.Any {
		return []expr.Any{
			&expr.Ct{Key: key, Register: reg},
			&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: 4, Mask: native(uint32(mask)), Xor: native(0)},
			&expr.Cmp{Op: expr.CmpOpNeq, Register: reg, Data: native(0)},
		}
	}
	fwd(append(bit(expr.CtKeySTATE, ctEstablished|ctRelated), accept)...)
	fwd(in(reg), out(reg+4), lookup("same"), accept)
	fwd(in(reg), lookup("internal"), drop)
	fwd(out(reg), lookup("internal"), drop)
	const dstNAT = 1 << 5 // IPS_DST_NAT
	fwd(append([]expr.Any{out(reg), lookup("bridges")}, append(bit(expr.CtKeySTATUS, dstNAT), accept)...)...)
	fwd(out(reg), lookup("bridges"), drop)

	post := chain("postrouting", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource)
	post(out(reg), lookup("bridges"), accept)
	post(append(family(unix.NFPROTO_IPV4), &expr.Payload{DestRegister: reg, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4}, lookup("masquerade4"), &expr.Masq{})...)
	post(append(family(unix.NFPROTO_IPV6), &expr.Payload{DestRegister: reg, Base: expr.PayloadBaseNetworkHeader, Offset: 8, Len: 16}, lookup("masquerade6"), &expr.Masq{})...)
	if err := c.Flush(); err != nil {
		return fmt.Errorf("make nftables table %s: %w", t.table.Name, err)
	}
	return nil
}

// Bits of ct state.
const (
	ctInvalid     = 1
	ctEstablished = 2
	ctRelated     = 4
	ctNew         = 8
)

// native is v in the host's byte order; both architectures are little-endian.
func native(v uint32) []byte { return []byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)} }

// ifname is an interface's name as a key.
func ifname(s string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, s)
	return b
}

// elements are those of a network: set name -> elements.
func (c *config) elements() map[string][]nftables.SetElement {
	name := ifname(c.Interface)
	m := map[string][]nftables.SetElement{
		"bridges": {{Key: name}},
		"same":    {{Key: append(ifname(c.Interface), name...)}},
	}
	if c.Internal {
		m["internal"] = []nftables.SetElement{{Key: name}}
	}
	if c.Internal || c.NoMasquerade {
		return m
	}
	for _, s := range c.Subnets {
		set := "masquerade4"
		if s.Subnet.Addr().Is6() {
			set = "masquerade6"
		}
		m[set] = []nftables.SetElement{{Key: s.Subnet.Addr().AsSlice()}}
		if end := lastAddr(s.Subnet).Next(); end.IsValid() {
			m[set] = append(m[set], nftables.SetElement{Key: end.AsSlice(), IntervalEnd: true})
		}
	}
	return m
}

// addNetwork adds the elements of a network.
func (t *table) addNetwork(c *config) error {
	elements := c.elements()
	for _, name := range sortedKeys(elements) {
		if err := t.conn.SetAddElements(t.set(name), elements[name]); err != nil {
			return err
		}
	}
	if err := t.conn.Flush(); err != nil {
		return fmt.Errorf("add network %s to nftables: %w", c.Name, err)
	}
	return nil
}

// removeNetwork removes what addNetwork has added; what is not there is not missed.
func (t *table) removeNetwork(c *config) error {
	elements := c.elements()
	for _, name := range sortedKeys(elements) {
		if err := t.conn.SetDeleteElements(t.set(name), elements[name]); err != nil {
			return err
		}
		if err := t.conn.Flush(); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("remove network %s from nftables: %w", c.Name, err)
		}
	}
	return nil
}

// element is the set and the element of a published port; ok is false for one that has none.
func (p *port) element() (set string, e nftables.SetElement, ok bool) {
	if !p.To.IsValid() {
		return "", e, false
	}
	set = "ports"
	if !p.HostIP.IsUnspecified() {
		set = "addressports"
		e.Key = p.HostIP.AsSlice()
	}
	proto := byte(unix.IPPROTO_TCP)
	if p.Protocol == "udp" {
		proto = unix.IPPROTO_UDP
	}
	be := func(n uint16) []byte { return []byte{byte(n >> 8), byte(n), 0, 0} }
	e.Key = append(append(e.Key, proto, 0, 0, 0), be(p.HostPort)...)
	e.Val = append(p.To.AsSlice(), be(p.Container)...)
	if p.To.Is6() {
		return set + "6", e, true
	}
	return set + "4", e, true
}

// addPorts adds the elements of ports, all or none.
func (t *table) addPorts(ports []port) error {
	n := 0
	for i := range ports {
		if set, e, ok := ports[i].element(); ok {
			if err := t.conn.SetAddElements(t.set(set), []nftables.SetElement{e}); err != nil {
				return err
			}
			n++
		}
	}
	if n == 0 {
		return nil
	}
	if err := t.conn.Flush(); err != nil {
		return fmt.Errorf("add ports to nftables: %w", err)
	}
	return nil
}

// removePorts removes the elements of ports; those that are not there, or point elsewhere by now, are left alone.
func (t *table) removePorts(ports []port) error {
	if there, err := t.exists(); err != nil || !there {
		return err
	}
	present := map[string]map[string]string{}
	n := 0
	for i := range ports {
		set, e, ok := ports[i].element()
		if !ok {
			continue
		}
		if present[set] == nil {
			list, err := t.conn.GetSetElements(t.set(set))
			if err != nil {
				return fmt.Errorf("read ports in nftables: %w", err)
			}
			present[set] = make(map[string]string, len(list))
			for _, p := range list {
				present[set][string(p.Key)] = string(p.Val)
			}
		}
		if present[set][string(e.Key)] != string(e.Val) {
			continue
		}
		if err := t.conn.SetDeleteElements(t.set(set), []nftables.SetElement{e}); err != nil {
			return err
		}
		n++
	}
	if n == 0 {
		return nil
	}
	if err := t.conn.Flush(); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove ports from nftables: %w", err)
	}
	return nil
}

// remove removes the table.
func (t *table) remove() error {
	t.conn.DelTable(t.table)
	if err := t.conn.Flush(); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove nftables table %s: %w", t.table.Name, err)
	}
	return nil
}

// lastAddr is the last address of a subnet.
func lastAddr(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
