package network

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"unsafe"

	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"
)

// legacyTable is the table "filter" of the iptables before nftables, as the kernel gives it: a list of entries of
// struct ipt_entry or ip6t_entry, in the host's byte order.
type legacyTable struct {
	v6      bool
	start   int // of the chain FORWARD
	entries []byte
}

// Sizes and places in the structures of linux/netfilter_ipv4/ip_tables.h and netfilter_ipv6/ip6_tables.h.
type legacyLayout struct {
	addr                   int // bytes of an address
	iface                  int // place of iniface; outiface and the masks follow, 16 bytes each
	proto, flags, inverted int
	target, next, header   int
	names                  string
	level, option          int
}

var (
	layout4 = legacyLayout{addr: 4, iface: 16, proto: 80, flags: 82, inverted: 83, target: 88, next: 90, header: 112,
		names: "/proc/thread-self/net/ip_tables_names", level: unix.SOL_IP, option: unix.AF_INET}
	layout6 = legacyLayout{addr: 16, iface: 64, proto: 128, flags: 131, inverted: 132, target: 140, next: 142, header: 168,
		names: "/proc/thread-self/net/ip6_tables_names", level: unix.SOL_IPV6, option: unix.AF_INET6}
)

// legacyChains are the tables that exist. One is not asked for before it is known to exist: the question would make it.
func legacyChains() ([]legacyTable, error) {
	var list []legacyTable
	for _, l := range []legacyLayout{layout4, layout6} {
		b, err := os.ReadFile(l.names)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !slices.Contains(strings.Fields(string(b)), "filter") {
			continue
		}
		t, err := readLegacy(l)
		if err != nil {
			return nil, fmt.Errorf("read the table filter of iptables-legacy: %w", err)
		}
		list = append(list, t)
	}
	return list, nil
}

func readLegacy(l legacyLayout) (legacyTable, error) {
	t := legacyTable{v6: l.addr == 16}
	fd, err := unix.Socket(l.option, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return t, err
	}
	defer unix.Close(fd)
	const getInfo, getEntries = 64, 65 // IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES, and the same of ip6tables
	info := make([]byte, 84)
	copy(info, "filter")
	if err := getsockopt(fd, l.level, getInfo, info); err != nil {
		return t, err
	}
	word := func(i int) int { return int(binary.NativeEndian.Uint32(info[32+4*i:])) }
	const forward = 2 // NF_INET_FORWARD
	t.start = word(1 + forward)
	size := word(12)
	const head = 40 // name, size, padding
	buf := make([]byte, head+size)
	copy(buf, "filter")
	binary.NativeEndian.PutUint32(buf[32:], uint32(size))
	if err := getsockopt(fd, l.level, getEntries, buf); err != nil {
		return t, err
	}
	t.entries = buf[head:]
	return t, nil
}

func getsockopt(fd, level, option int, buf []byte) error {
	size := uint32(len(buf))
	_, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(option), uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(&size)), 0)
	if e != 0 {
		return e
	}
	return nil
}

func (t *legacyTable) layout() *legacyLayout {
	if t.v6 {
		return &layout6
	}
	return &layout4
}

// run runs a packet through FORWARD, its policy included.
func (t *legacyTable) run(p packet) verdict {
	l := t.layout()
	var stack []int
	// Each step is an entry; the bound is for tables that lie.
	for at, steps := t.start, 0; steps < 1<<20; steps++ {
		if at < 0 || at+l.header > len(t.entries) {
			return verdictNone
		}
		e := t.entries[at:]
		target := int(binary.NativeEndian.Uint16(e[l.target:]))
		next := int(binary.NativeEndian.Uint16(e[l.next:]))
		if next < l.header || target < l.header || target+36 > next || next > len(e) {
			return verdictNone
		}
		e = e[:next]
		if !p.legacyMatch(l, e, target) {
			at += next
			continue
		}
		name := cString(e[target+2 : target+31])
		switch name {
		case "":
			v := int(int32(binary.NativeEndian.Uint32(e[target+32:])))
			switch {
			case v >= 0:
				const isGoto = 2 // IPT_F_GOTO, IP6T_F_GOTO is 4
				jump := e[l.flags]&isGoto != 0
				if t.v6 {
					jump = e[l.flags]&4 != 0
				}
				if !jump {
					stack = append(stack, at+next)
				}
				at = v
				continue
			case v == -1: // NF_DROP
				return verdictDrop
			case v == -5: // XT_RETURN
				if len(stack) == 0 {
					return t.policy(l)
				}
				at, stack = stack[len(stack)-1], stack[:len(stack)-1]
				continue
			}
			return verdictAccept
		case "REJECT":
			return verdictDrop
		}
		at += next // LOG, MARK and the like
	}
	return verdictNone
}

// policy is the verdict at the end of FORWARD: its last entry, which has no condition.
func (t *legacyTable) policy(l *legacyLayout) verdict {
	// The entries of the next chain begin after it; walk until an unconditional accept or drop ends the chain.
	for at := t.start; at+l.header <= len(t.entries); {
		e := t.entries[at:]
		target, next := int(binary.NativeEndian.Uint16(e[l.target:])), int(binary.NativeEndian.Uint16(e[l.next:]))
		if next < l.header || target+36 > next || next > len(e) {
			return verdictNone
		}
		if target == l.header && cString(e[target+2:target+31]) == "" && bytes.Count(e[:l.target-4], []byte{0}) == l.target-4 {
			switch int32(binary.NativeEndian.Uint32(e[target+32:])) {
			case -1:
				return verdictDrop
			case -2:
				return verdictAccept
			}
		}
		at += next
	}
	return verdictNone
}

func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// legacyMatch says whether the conditions of an entry are met. What is not known does not match.
func (p *packet) legacyMatch(l *legacyLayout, e []byte, target int) bool {
	inv := e[l.inverted]
	const (
		invIn, invOut, invSrc, invDst = 0x01, 0x02, 0x08, 0x10
		invProto                      = 0x40
	)
	in, out := e[l.iface:l.iface+16], e[l.iface+16:l.iface+32]
	inMask, outMask := e[l.iface+32:l.iface+48], e[l.iface+48:l.iface+64]
	iface := func(name string, want, mask []byte, invert bool) bool {
		if !slices.ContainsFunc(mask, func(b byte) bool { return b != 0 }) {
			return true
		}
		if name == "" {
			return false
		}
		have := ifname(name)
		same := true
		for i := range mask {
			same = same && (have[i]^want[i])&mask[i] == 0
		}
		return same != invert
	}
	n := l.addr
	addr := func(a netip.Addr, want, mask []byte, invert bool) bool {
		if !slices.ContainsFunc(mask, func(b byte) bool { return b != 0 }) {
			return true
		}
		have := a.AsSlice()
		if len(have) != n {
			return false
		}
		same := true
		for i := range mask {
			same = same && (have[i]^want[i])&mask[i] == 0
		}
		return same != invert
	}
	if !iface(p.in, in, inMask, inv&invIn != 0) || !iface(p.out, out, outMask, inv&invOut != 0) ||
		!addr(p.src, e[:n], e[2*n:3*n], inv&invSrc != 0) || !addr(p.dst, e[n:2*n], e[3*n:4*n], inv&invDst != 0) {
		return false
	}
	if proto := binary.NativeEndian.Uint16(e[l.proto:]); proto != 0 && (proto == unix.IPPROTO_TCP) == (inv&invProto != 0) {
		return false
	}
	fam := xt.TableFamily(unix.NFPROTO_IPV4)
	if n == 16 {
		fam = unix.NFPROTO_IPV6
	}
	for at := l.header; at < target; {
		if at+32 > target {
			return false
		}
		size := int(binary.NativeEndian.Uint16(e[at:]))
		if size < 32 || at+size > target {
			return false
		}
		switch name := cString(e[at+2 : at+31]); name {
		case "comment":
		case "conntrack", "state":
			info, err := xt.Unmarshal("conntrack", fam, uint32(e[at+31]), e[at+32:at+size])
			if err != nil {
				return false
			}
			switch c := info.(type) {
			case *xt.ConntrackMtinfo3:
				if !p.conntrack(c.MatchFlags, c.InvertFlags, c.StateMask) {
					return false
				}
			case *xt.ConntrackMtinfo2:
				if !p.conntrack(c.MatchFlags, c.InvertFlags, c.StateMask) {
					return false
				}
			default:
				return false
			}
		default:
			return false
		}
		at += size
	}
	return true
}
