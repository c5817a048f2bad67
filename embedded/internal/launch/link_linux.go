package launch

import (
	"encoding/binary"
	"fmt"
	"slices"
	"syscall"
	"unsafe"
)

// machine is a program made ready to run in this process: addresses and numbers
// instead of names. All of its memory is one arena, which does not move.
type machine struct {
	ops      []op
	branches []branch
	regs     []uintptr
	arena    []byte    // the program's memory; 8-byte aligned
	keep     [][]int32 // descriptors that stay open, for each closing: ascending
	walk     *walker
	report   *report
	guest    *machine // of a forker: where programs come
	rights   uintptr  // of a forker: room for the descriptors of a program
	last     bool     // of a forker: it serves no more
	errfd    uintptr
	lastFD   int // the greatest descriptor, where there is no close_range

	// What run is doing.
	pc   int
	op   op
	a    [6]uintptr
	r    uintptr
	e    syscall.Errno
	left int32
}

// op is a step, linked.
type op struct {
	kind   uint8
	isreg  uint8 // bit i: argument i is a register's number
	nr     uintptr
	args   [6]uintptr
	save   int32
	expect int32
	repeat int32
	log    int32
	first  int32 // its branches
	nbr    int32
}

const (
	kindCall uint8 = iota
	kindWalk
	kindFork
	kindClose
	kindCheck
	kindSet
	kindJumpZ
	kindJump
	kindStore
	kindFail
	kindServe
)

var kinds = map[string]uint8{
	opWalk: kindWalk, opFork: kindFork, opClose: kindClose, opCheck: kindCheck, opSet: kindSet,
	opJumpZ: kindJumpZ, opJump: kindJump, opStore: kindStore, opFail: kindFail, opServe: kindServe,
}

// report is what a child writes to the pipe: the step that failed, or a fork.
type report struct {
	index uint32
	errno uint32
	text  [reportText]byte
}

const (
	reportText = 248
	reportHead = 8
	// reportFork as an index: errno is the pid of the child's child.
	reportFork = ^uint32(0)
)

// link gives a program its addresses and the numbers of its descriptors. The first
// of them is the pipe for the report.
func (p *program) link(fds []int) (*machine, error) {
	if len(fds) != len(p.FDs) {
		return nil, fmt.Errorf("link the program: %d descriptors for %d", len(fds), len(p.FDs))
	}
	m := &machine{errfd: uintptr(fds[0]), ops: make([]op, 0, len(p.Steps)), regs: make([]uintptr, p.Regs+1), walk: new(walker), report: new(report)}
	if p.Slots && slices.Max(fds) >= slotMount {
		return nil, fmt.Errorf("link the program: more than %d open files", slotMount)
	}
	offsets := p.layout(m)
	base := uintptr(unsafe.Pointer(&m.arena[0]))
	value := func(v val) uintptr {
		switch v.Kind {
		case isMem:
			return base + offsets[v.N]
		case isFD:
			return uintptr(fds[v.N])
		}
		return uintptr(v.N)
	}
	for i, x := range p.Mems {
		b := m.arena[offsets[i]:]
		copy(b, x.Data)
		for _, r := range x.Relocs {
			if r.Val.Kind == isMem {
				binary.NativeEndian.PutUint64(b[r.Off:], uint64(value(r.Val)))
			} else {
				binary.NativeEndian.PutUint32(b[r.Off:], uint32(value(r.Val)))
			}
		}
	}
	for _, s := range p.Steps {
		o := op{save: int32(s.Save), expect: int32(s.Expect), repeat: int32(max(1, s.Repeat)), log: int32(s.Log), first: int32(len(m.branches)), nbr: int32(len(s.On))}
		if k, ok := kinds[s.Op]; ok {
			o.kind = k
		} else if o.nr, ok = calls[s.Op]; !ok {
			return nil, fmt.Errorf("link the program: no system call %q", s.Op)
		}
		if o.kind == kindClose {
			o.args[0] = uintptr(len(m.keep))
			m.keep = append(m.keep, keepList(s.Args, fds))
			m.ops = append(m.ops, o)
			continue
		}
		for i, a := range s.Args {
			o.args[i] = value(a)
			switch {
			case a.Kind == isReg:
				o.isreg |= 1 << i
			case a.Kind == isMem && o.kind != kindCall: // the interpreter's own: offsets in the arena
				o.args[i] = offsets[a.N]
			}
		}
		m.branches = append(m.branches, s.On...)
		m.ops = append(m.ops, o)
	}
	return m, nil
}

// keepList are the numbers of the descriptors that a closing leaves open.
func keepList(named []val, fds []int) []int32 {
	keep := []int32{0, 1, 2}
	for _, v := range named {
		keep = append(keep, int32(fds[v.N]))
	}
	if len(named) == 0 {
		for _, fd := range fds {
			keep = append(keep, int32(fd))
		}
	}
	slices.Sort(keep)
	return slices.Compact(keep)
}

// layout makes the arena and returns the offset of every mem.
func (p *program) layout(m *machine) []uintptr {
	offsets, words := p.offsets()
	m.arena = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(make([]uint64, words+1)))), 8*(words+1))
	return offsets
}

// offsets are where the mems are in the arena, and how long they are together.
func (p *program) offsets() (offsets []uintptr, words uintptr) {
	offsets = make([]uintptr, len(p.Mems))
	for i, x := range p.Mems {
		offsets[i] = words * 8
		words += uintptr(len(x.Data)+15) / 8 // at least one spare byte
	}
	return offsets, words
}
