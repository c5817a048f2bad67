package launch

import (
	"encoding/binary"
	"syscall"
)

// program is what a child runs: data only, so that it can be printed, compared,
// and sent to another process.
type program struct {
	Steps []*step
	Mems  []mem
	Regs  int      // registers in use are 1..Regs
	FDs   []string // descriptors of the parent that the child uses, by what they are; their numbers are given when the program is linked
	Forks int      // how often the child forks and goes on as its own child
	Slots bool     // it uses the descriptors slotMount and above

	texts map[string]val // strings that are in Mems already
}

// step is one entry of a program.
type step struct {
	Name   string // what it does, as error messages say it: "mount proc on /proc"
	Op     string // a system call of the table calls, or one of the operations below
	Args   []val
	Save   reg      // takes the result
	Expect int      // the result that is not an error; -1 is any
	On     []branch // what to do after an error; without an entry it ends the program
	Repeat int      // number of times, the first argument counted up each time; 0 is once
	Log    reg      // a file system context whose messages explain an error
	Detail string   // words that explain an error
}

// Operations that are not system calls.
const (
	opWalk  = "walk"          // root, path, flags: resolve a path; see walk_linux.go
	opFork  = "fork"          // go on in a child that has the same parent; report its pid to the parent
	opClose = "close all but" // descriptors of FDs; none is all of them
	opCheck = "check"         // address, offset, mask, value, errno: fail unless the 64-bit word there has that value under the mask
	opSet   = "set"           // value: into the register Save
	opJumpZ = "jump if zero"
	opJump  = "jump"
	opStore = "store" // address, offset, value: a 32-bit word
	opFail  = "fail"  // errno
	opServe = "serve" // socket, message, files to enter and to leave a cgroup, address for a pid, index of a closing: see forker_linux.go
)

// reg is a register: 0 is none.
type reg int

// branch continues at the step To after the error Errno; anyError is all of them.
type branch struct {
	Errno syscall.Errno
	To    int
}

const anyError syscall.Errno = 0xffff

// val is an argument.
type val struct {
	Kind valKind
	N    uint64
}

type valKind uint8

const (
	isNumber valKind = iota
	isReg            // the value of a register
	isMem            // the address of a memory
	isFD             // the number of a descriptor of FDs
)

func num[T ~int | ~uint | ~int32 | ~uint32 | ~uint64 | ~uintptr](n T) val {
	return val{isNumber, uint64(n)}
}
func (r reg) val() val { return val{isReg, uint64(r)} }

// atCWD is AT_FDCWD: paths that are absolute do not use it.
var atCWD = num(-100)

// mem is memory of the child: the data that a system call reads or writes.
type mem struct {
	Data   []byte
	Text   bool // Data is a string with its final NUL
	Relocs []reloc
}

// reloc is a word in a mem that is known when the program is linked: the 64-bit
// address of another mem, or the 32-bit number of a descriptor.
type reloc struct {
	Off int
	Val val
}

func newProgram() *program { return &program{texts: map[string]val{}} }

// add appends a step.
func (p *program) add(name, op string, args ...val) *step {
	s := &step{Name: name, Op: op, Args: args, Expect: -1}
	p.Steps = append(p.Steps, s)
	return s
}

// open appends a step whose result is kept.
func (p *program) open(name, op string, args ...val) reg {
	r := p.reg()
	p.add(name, op, args...).Save = r
	return r
}

func (p *program) reg() reg { p.Regs++; return reg(p.Regs) }

// here is the index of the next step, for branches.
func (p *program) here() int { return len(p.Steps) }

// ignore lets the program go on after these errors.
func (p *program) ignore(s *step, errs ...syscall.Errno) {
	for _, e := range errs {
		p.on(s, e, p.here())
	}
}

// on lets the program continue at the step to after error e.
func (p *program) on(s *step, e syscall.Errno, to int) { s.On = append(s.On, branch{e, to}) }

// str is the address of a string.
func (p *program) str(s string) val {
	if v, ok := p.texts[s]; ok {
		return v
	}
	v := p.mem(append([]byte(s), 0))
	p.Mems[v.N].Text = true
	p.texts[s] = v
	return v
}

// mem is the address of memory that starts with these bytes.
func (p *program) mem(b []byte, relocs ...reloc) val {
	p.Mems = append(p.Mems, mem{Data: b, Relocs: relocs})
	return val{isMem, uint64(len(p.Mems) - 1)}
}

// words is memory of 64-bit words.
func (p *program) words(w ...uint64) val {
	b := make([]byte, 0, 8*len(w))
	for _, x := range w {
		b = binary.NativeEndian.AppendUint64(b, x)
	}
	return p.mem(b)
}

// halves is memory of 32-bit words.
func (p *program) halves(w ...uint32) val {
	b := make([]byte, 0, 4*len(w))
	for _, x := range w {
		b = binary.NativeEndian.AppendUint32(b, x)
	}
	return p.mem(b)
}

// strs is a vector of strings with a final null, as argv is.
func (p *program) strs(list []string) val {
	relocs := make([]reloc, len(list))
	for i, s := range list {
		relocs[i] = reloc{8 * i, p.str(s)}
	}
	return p.mem(make([]byte, 8*(len(list)+1)), relocs...)
}

// fd adds a descriptor to those that the child gets.
func (p *program) fd(what string) val {
	p.FDs = append(p.FDs, what)
	return val{isFD, uint64(len(p.FDs) - 1)}
}
