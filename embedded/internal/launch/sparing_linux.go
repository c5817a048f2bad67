package launch

import (
	"bytes"
	"encoding/binary"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A fork takes all pages of this process away, for both to copy before they write: hundreds of page faults,
// most of the time of an exec. A sparing one gives the child no more memory than its program takes:
// this process's heap is not in it at all. So the program is moved out of the heap first.

// span is a part of this process's memory.
type span struct{ from, to uintptr }

// spared is the memory that a child needs nothing of: of the runtime's mappings those without a file. The data segment
// stays, in which the runtime has what says that its write barriers are off; and with cgo, all that is not the
// runtime's heap: the kernel writes to a thread's own memory there (rseq).
func spared() []span {
	text, err := readMaps()
	if err != nil {
		return nil
	}
	heap := uintptr(unsafe.Pointer(new([64]uint64)))
	return spansOf(text, heap)
}

// without is list but for what is in s.
func without(list []span, s span) []span {
	var rest []span
	for _, l := range list {
		for _, part := range []span{{l.from, min(l.to, s.from)}, {max(l.from, s.to), l.to}} {
			if part.from < part.to {
				rest = append(rest, part)
			}
		}
	}
	return rest
}

// readMaps is os.ReadFile without its questions.
func readMaps() ([]byte, error) {
	fd, err := unix.Open("/proc/self/maps", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("open", err)
	}
	defer unix.Close(fd)
	buf := make([]byte, 0, 8<<10)
	for {
		if cap(buf)-len(buf) < 4<<10 {
			buf = append(make([]byte, 0, 2*cap(buf)), buf...)
		}
		n, err := unix.Read(fd, buf[len(buf):cap(buf)])
		if err != nil && err != unix.EINTR {
			return nil, os.NewSyscallError("read", err)
		}
		if n == 0 && err == nil {
			return buf, nil
		}
		buf = buf[:len(buf)+max(n, 0)]
	}
}

// spansOf reads the lines of /proc/PID/maps: FROM-TO PERMISSIONS OFFSET DEVICE INODE [NAME].
func spansOf(text []byte, heap uintptr) (list []span) {
	var data uintptr // where the data segment ends, which the segment of zeros follows
	for line := range bytes.Lines(text) {
		f := bytes.Fields(line)
		if len(f) < 5 {
			continue
		}
		a, b, _ := bytes.Cut(f[0], []byte{'-'})
		from, err1 := strconv.ParseUint(string(a), 16, 64)
		to, err2 := strconv.ParseUint(string(b), 16, 64)
		if err1 != nil || err2 != nil {
			continue
		}
		s := span{uintptr(from), uintptr(to)}
		anonymous := string(f[4]) == "0" && (len(f) == 5 || bytes.HasPrefix(f[5], []byte("[anon:")))
		switch {
		case !anonymous:
			if data = 0; string(f[1]) == "rw-p" {
				data = s.to
			}
		case s.from == data:
			data = s.to
		case string(f[1]) == "---p" && !usesCgo: // what the runtime has reserved
			list = append(list, s)
		case string(f[1]) != "rw-p":
		case usesCgo && !(s.from <= heap && heap < s.to):
		default:
			list = append(list, s)
		}
	}
	return list
}

// moved is the machine m of program p in memory of its own, out of the heap, and where that is. drop gives it back.
func (p *program) moved(m *machine) (_ *machine, where span, drop func(), err error) {
	mem, err := unix.Mmap(-1, 0, int(m.layout().size+16), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
	if err != nil {
		return nil, where, nil, failure("make room for the program", err)
	}
	return p.movedTo(m, mem), spanOf(mem), func() { unix.Munmap(mem) }, nil
}

// spanOf is where a mapping is.
func spanOf(mem []byte) span {
	from := uintptr(unsafe.Pointer(&mem[0]))
	return span{from, from + (uintptr(len(mem))+4095)&^4095}
}

// layout is where the parts of a machine go in memory of its own: the machine itself first, and last
// what has no content yet.
type layout struct {
	report, ops, branches, regs, keep, arena, walk uintptr
	keeps                                          []uintptr
	size                                           uintptr
}

func (m *machine) layout() (l layout) {
	room := func(n int, each uintptr) (at uintptr) {
		at = (l.size + 15) &^ 15
		l.size = at + uintptr(n)*each
		return at
	}
	room(1, unsafe.Sizeof(*m))
	l.report = room(1, unsafe.Sizeof(*m.report))
	l.ops = room(len(m.ops), unsafe.Sizeof(op{}))
	l.branches = room(len(m.branches), unsafe.Sizeof(branch{}))
	l.regs = room(len(m.regs), unsafe.Sizeof(uintptr(0)))
	l.keep = room(len(m.keep), unsafe.Sizeof([]int32{}))
	for _, k := range m.keep {
		l.keeps = append(l.keeps, room(len(k), 4))
	}
	l.arena = room(len(m.arena), 1)
	l.walk = room(1, unsafe.Sizeof(*m.walk))
	return l
}

// movedTo is the machine m of program p in mem, which has room for it.
func (p *program) movedTo(m *machine, mem []byte) *machine {
	l := m.layout()
	n := (*machine)(unsafe.Pointer(&mem[0]))
	*n = *m
	n.walk = (*walker)(unsafe.Pointer(&mem[l.walk]))
	n.report = (*report)(unsafe.Pointer(&mem[l.report]))
	n.ops = unsafe.Slice((*op)(unsafe.Pointer(&mem[l.ops])), len(m.ops))
	n.branches = unsafe.Slice((*branch)(unsafe.Pointer(&mem[l.branches])), len(m.branches))
	n.regs = unsafe.Slice((*uintptr)(unsafe.Pointer(&mem[l.regs])), len(m.regs))
	n.keep = unsafe.Slice((*[]int32)(unsafe.Pointer(&mem[l.keep])), len(m.keep))
	n.arena = mem[l.arena : l.arena+uintptr(len(m.arena)) : l.arena+uintptr(len(m.arena))]
	copy(n.ops, m.ops)
	copy(n.branches, m.branches)
	copy(n.regs, m.regs)
	copy(n.arena, m.arena)
	for i, k := range m.keep {
		n.keep[i] = unsafe.Slice((*int32)(unsafe.Pointer(&mem[l.keeps[i]])), len(k))
		copy(n.keep[i], k)
	}
	p.rebase(m, n)
	return n
}

// rebase turns the addresses in n, which are those of m's arena, into those of its own.
func (p *program) rebase(m, n *machine) {
	delta := uintptr(unsafe.Pointer(&n.arena[0])) - uintptr(unsafe.Pointer(&m.arena[0]))
	for i, s := range p.Steps {
		if n.ops[i].kind != kindCall {
			continue
		}
		for j, a := range s.Args {
			if a.Kind == isMem {
				n.ops[i].args[j] += delta
			}
		}
	}
	offsets, _ := p.offsets()
	for i, x := range p.Mems {
		for _, r := range x.Relocs {
			if r.Val.Kind == isMem {
				word := n.arena[offsets[i]+uintptr(r.Off):]
				binary.NativeEndian.PutUint64(word, binary.NativeEndian.Uint64(word)+uint64(delta))
			}
		}
	}
}
