package network

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"
)

// verdict is what a chain does with a packet.
type verdict int

const (
	verdictNone verdict = iota // the end of the chain was reached
	verdictAccept
	verdictDrop
)

// runner runs a packet through the chains of a table.
type runner struct {
	conn   *nftables.Conn
	table  *nftables.Table
	packet packet
	sets   map[string][]nftables.SetElement
	metas  map[string]*nftables.Set
	err    error
}

// maxDepth is how deep the kernel lets chains call each other.
const maxDepth = 16

// chain runs the rules of a chain.
func (r *runner) chain(name string, depth int) verdict {
	if depth > maxDepth || r.err != nil {
		return verdictNone
	}
	rules, err := r.conn.GetRules(r.table, &nftables.Chain{Table: r.table, Name: name})
	if err != nil {
		r.err = fmt.Errorf("read chain %s of table %s: %w", name, r.table.Name, err)
		return verdictNone
	}
	for _, rule := range rules {
		v := r.rule(rule.Exprs)
		if v == nil {
			continue
		}
		switch v.Kind {
		case expr.VerdictAccept, expr.VerdictQueue, expr.VerdictStolen, expr.VerdictStop, expr.VerdictRepeat:
			return verdictAccept
		case expr.VerdictDrop:
			return verdictDrop
		case expr.VerdictReturn:
			return verdictNone
		case expr.VerdictJump, expr.VerdictGoto:
			if w := r.chain(v.Chain, depth+1); w != verdictNone || v.Kind == expr.VerdictGoto {
				return w
			}
		}
	}
	return verdictNone
}

// value is what a register holds; nil is not known.
type value []byte

// rule returns the verdict of a rule, nil if it does not match or has none.
func (r *runner) rule(exprs []expr.Any) *expr.Verdict {
	regs := map[uint32]value{}
	for _, e := range exprs {
		switch e := e.(type) {
		case *expr.Verdict:
			return e
		case *expr.Reject:
			return &expr.Verdict{Kind: expr.VerdictDrop}
		case *expr.Target:
			if e.Name == "REJECT" || e.Name == "DROP" {
				return &expr.Verdict{Kind: expr.VerdictDrop}
			}
		case *expr.Meta:
			if !e.SourceRegister {
				regs[at(e.Register)] = r.meta(e.Key)
			}
		case *expr.Payload:
			if e.OperationType == expr.PayloadLoad {
				regs[at(e.DestRegister)] = r.payload(e)
			}
		case *expr.Ct:
			if !e.SourceRegister {
				regs[at(e.Register)] = r.ct(e.Key)
			}
		case *expr.Immediate:
			regs[at(e.Register)] = e.Data
		case *expr.Bitwise:
			regs[at(e.DestRegister)] = bitwise(e, regs[at(e.SourceRegister)])
		case *expr.Cmp:
			if !compare(e, regs[at(e.Register)]) {
				return nil
			}
		case *expr.Lookup:
			v := regs[at(e.SourceRegister)]
			if v == nil {
				return nil
			}
			hit := r.lookup(e.SetName, v)
			if r.err != nil || (hit != nil) == e.Invert {
				return nil
			}
			if hit != nil && hit.VerdictData != nil {
				return hit.VerdictData
			}
			if e.IsDestRegSet {
				regs[at(e.DestRegister)] = nil
			}
		case *expr.Match:
			if !r.match(e) {
				return nil
			}
		case *expr.Counter, *expr.Log, *expr.Limit, *expr.FlowOffload, *expr.Quota:
		default:
			// A condition that is not known here.
			return nil
		}
	}
	return nil
}

// at is the number of a register in words: the four old ones have 16 bytes.
func at(reg uint32) uint32 {
	if reg < unix.NFT_REG32_00 {
		return (reg - 1) * 4
	}
	return reg - unix.NFT_REG32_00
}

func (r *runner) meta(key expr.MetaKey) value {
	p := r.packet
	name := func(s string) value {
		if s == "" {
			return nil
		}
		return ifname(s)
	}
	switch key {
	case expr.MetaKeyIIFNAME:
		return name(p.in)
	case expr.MetaKeyOIFNAME:
		return name(p.out)
	case expr.MetaKeyIIF:
		return native(uint32(p.inID))
	case expr.MetaKeyOIF:
		return native(uint32(p.outID))
	case expr.MetaKeyL4PROTO:
		return value{unix.IPPROTO_TCP}
	case expr.MetaKeyNFPROTO:
		if p.v6 {
			return value{unix.NFPROTO_IPV6}
		}
		return value{unix.NFPROTO_IPV4}
	case expr.MetaKeyPROTOCOL:
		if p.v6 {
			return value{0x86, 0xdd}
		}
		return value{0x08, 0x00}
	}
	return nil
}

func (r *runner) payload(e *expr.Payload) value {
	p := r.packet
	if e.Base != expr.PayloadBaseNetworkHeader {
		return nil
	}
	src, dst, length := uint32(12), uint32(16), uint32(4)
	if p.v6 {
		src, dst, length = 8, 24, 16
	}
	part := func(b []byte, off uint32) value {
		if b == nil || e.Offset < off || e.Offset+e.Len > off+length {
			return nil
		}
		return b[e.Offset-off : e.Offset-off+e.Len]
	}
	if e.Offset >= dst {
		return part(p.dst.AsSlice(), dst)
	}
	return part(p.src.AsSlice(), src)
}

func (r *runner) ct(key expr.CtKey) value {
	switch key {
	case expr.CtKeySTATE:
		return native(uint32(r.packet.state))
	case expr.CtKeySTATUS:
		if r.packet.dnat {
			return native(1 << 5)
		}
		return native(0)
	}
	return nil
}

func bitwise(e *expr.Bitwise, v value) value {
	if v == nil || len(e.Mask) == 0 || len(e.Xor) != len(e.Mask) || len(v) < len(e.Mask) {
		return nil
	}
	out := make(value, len(e.Mask))
	for i := range out {
		out[i] = v[i]&e.Mask[i] ^ e.Xor[i]
	}
	return out
}

// compare compares as many bytes as the rule has: a name without its final zero is the start of a name.
func compare(e *expr.Cmp, v value) bool {
	if v == nil || len(v) < len(e.Data) {
		return false
	}
	c := bytes.Compare(v[:len(e.Data)], e.Data)
	switch e.Op {
	case expr.CmpOpEq:
		return c == 0
	case expr.CmpOpNeq:
		return c != 0
	case expr.CmpOpLt:
		return c < 0
	case expr.CmpOpLte:
		return c <= 0
	case expr.CmpOpGt:
		return c > 0
	case expr.CmpOpGte:
		return c >= 0
	}
	return false
}

// lookup finds v in a set.
func (r *runner) lookup(name string, v value) *nftables.SetElement {
	set := r.metas[name]
	if set == nil {
		s, err := r.conn.GetSetByName(r.table, name)
		if err != nil {
			r.err = fmt.Errorf("read set %s of table %s: %w", name, r.table.Name, err)
			return nil
		}
		s.Table = r.table
		list, err := r.conn.GetSetElements(s)
		if err != nil {
			r.err = fmt.Errorf("read set %s of table %s: %w", name, r.table.Name, err)
			return nil
		}
		if r.metas == nil {
			r.metas, r.sets = map[string]*nftables.Set{}, map[string][]nftables.SetElement{}
		}
		set, r.metas[name], r.sets[name] = s, s, list
	}
	list := r.sets[name]
	if !set.Interval {
		i := slices.IndexFunc(list, func(e nftables.SetElement) bool {
			return len(e.Key) > 0 && len(e.Key) <= len(v) && bytes.Equal(e.Key, v[:len(e.Key)])
		})
		if i < 0 {
			return nil
		}
		return &list[i]
	}
	// The last element at or below v decides: the start of an interval, or the end of one.
	var best *nftables.SetElement
	for i := range list {
		e := &list[i]
		if len(e.Key) == 0 || len(e.Key) > len(v) || bytes.Compare(e.Key, v[:len(e.Key)]) > 0 {
			continue
		}
		if best == nil || bytes.Compare(e.Key, best.Key) > 0 || bytes.Equal(e.Key, best.Key) && best.IntervalEnd {
			best = e
		}
	}
	if best == nil || best.IntervalEnd {
		return nil
	}
	return best
}

// match evaluates an extension of iptables.
func (r *runner) match(e *expr.Match) bool {
	switch info := e.Info.(type) {
	case *xt.Comment:
		return true
	case *xt.ConntrackMtinfo3:
		return r.packet.conntrack(info.MatchFlags, info.InvertFlags, info.StateMask)
	case *xt.ConntrackMtinfo2:
		return r.packet.conntrack(info.MatchFlags, info.InvertFlags, info.StateMask)
	case *xt.ConntrackMtinfo1:
		return r.packet.conntrack(info.MatchFlags, info.InvertFlags, uint16(info.StateMask))
	}
	return e.Name == "comment"
}

// conntrack is the match of that name, as far as it is about the state.
func (p *packet) conntrack(flags, invert, states uint16) bool {
	const state = uint16(xt.ConntrackState)
	const alias = uint16(xt.ConntrackStateAlias)
	if flags&^alias != state {
		return false
	}
	const dnat = 1 << 7 // XT_CONNTRACK_STATE_DNAT
	hit := states&uint16(p.state) != 0 || p.dnat && states&dnat != 0
	return hit != (invert&state != 0)
}
