//go:build linux

package seccomp

import (
	"math/rand/v2"
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// call is struct seccomp_data.
type call struct {
	nr, arch uint32
	args     [6]uint64
}

// run interprets a filter as the kernel does.
func run(t testing.TB, prog []Instruction, c call) uint32 {
	t.Helper()
	var acc uint32
	for pc := 0; ; pc++ {
		if pc >= len(prog) {
			t.Fatalf("the filter ends without an answer for %+v", c)
		}
		in := prog[pc]
		jump := func(cond bool) {
			if cond {
				pc += int(in.Jt)
			} else {
				pc += int(in.Jf)
			}
		}
		switch in.Code {
		case opLoad:
			switch {
			case in.K == offNumber:
				acc = c.nr
			case in.K == offArch:
				acc = c.arch
			default:
				arg := c.args[(in.K-offArgs)/8]
				if (in.K-offArgs)%8 == 4 {
					arg >>= 32
				}
				acc = uint32(arg)
			}
		case opJump:
			pc += int(in.K)
		case opEqual:
			jump(acc == in.K)
		case opGt:
			jump(acc > in.K)
		case opGe:
			jump(acc >= in.K)
		case opAnd:
			acc &= in.K
		case opRet:
			return in.K
		default:
			t.Fatalf("unknown instruction %+v", in)
		}
	}
}

// holds is what a comparison means.
func holds(a specs.LinuxSeccompArg, v uint64) bool {
	switch a.Op {
	case specs.OpEqualTo:
		return v == a.Value
	case specs.OpNotEqual:
		return v != a.Value
	case specs.OpMaskedEqual:
		return v&a.Value == a.ValueTwo
	case specs.OpGreaterThan:
		return v > a.Value
	case specs.OpGreaterEqual:
		return v >= a.Value
	case specs.OpLessThan:
		return v < a.Value
	case specs.OpLessEqual:
		return v <= a.Value
	}
	panic(a.Op)
}

// oracle is what the profile says, held ready by name.
type oracle struct {
	def     uint32
	refuse  bool
	highest int
	always  map[string]uint32
	when    map[string][]condition
}

// TestFstatat: what arm64's table calls fstatat is newfstatat in profiles. Without it, a missing file is EPERM there.
func TestFstatat(t *testing.T) {
	p := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Syscalls: []specs.LinuxSyscall{{Names: []string{"newfstatat"}, Action: specs.ActAllow}}}
	for goarch, nr := range map[string]uint32{"amd64": 262, "arm64": 79} {
		prog, err := compile(p, goarch)
		if err != nil {
			t.Fatal(err)
		}
		known, _ := abis(goarch)
		if got, want := run(t, prog, call{nr: nr, arch: uint32(table(known[0]).ID)}), run(t, prog, call{nr: nr - 1, arch: uint32(table(known[0]).ID)}); got == want {
			t.Errorf("%s: the answer is %#x, as that of another call", goarch, got)
		}
	}
}

func newOracle(p *specs.LinuxSeccomp, info *arch.Info) *oracle {
	o := &oracle{refuse: refuses(p.DefaultAction), always: map[string]uint32{}, when: map[string][]condition{}}
	o.def, _ = action(p.DefaultAction, p.DefaultErrnoRet)
	named := map[string]bool{}
	for _, s := range p.Syscalls {
		ret, _ := action(s.Action, s.ErrnoRet)
		for _, n := range s.Names {
			named[n] = true
			if len(s.Args) == 0 {
				o.always[n] = ret
			}
			r := &rule{}
			r.add(s.Args, &ret)
			o.when[n] = append(o.when[n], r.when...)
		}
	}
	for nr, n := range info.SyscallNumbers {
		if n == "fstatat" {
			n = "newfstatat" // the profiles' name
		}
		if named[n] {
			o.highest = max(o.highest, nr)
		}
	}
	return o
}

// answer finds the answer the slow way.
func (o *oracle) answer(info *arch.Info, nr uint32, args [6]uint64) uint32 {
	if int(nr) > o.highest && o.refuse {
		return retErrno | enosys
	}
	name := info.SyscallNumbers[int(nr)]
	if name == "fstatat" {
		name = "newfstatat"
	}
	if ret, ok := o.always[name]; ok {
		return ret
	}
next:
	for _, c := range o.when[name] {
		for _, a := range c.args {
			if !holds(a, args[a.Index]) {
				continue next
			}
		}
		return c.ret
	}
	return o.def
}

// interesting values are those that a profile compares with, and their neighbours.
func interesting(p *specs.LinuxSeccomp) []uint64 {
	var values []uint64
	for _, s := range p.Syscalls {
		for _, a := range s.Args {
			values = append(values, a.Value, a.ValueTwo, a.Value+1, a.Value-1, a.Value|1<<32, a.Value&^1)
		}
	}
	return append(values, 0)
}

func check(t *testing.T, p *specs.LinuxSeccomp, goarch string, rounds int) {
	t.Helper()
	prog, err := compile(p, goarch)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	known, _ := abis(goarch)
	values := interesting(p)
	for i, a := range known {
		info := table(a)
		listed := i == 0
		for _, x := range p.Architectures {
			listed = listed || x == a
		}
		o := newOracle(p, info)
		for nr := range uint32(600) {
			for range rounds {
				c := call{nr: nr | uint32(info.SeccompMask), arch: uint32(info.ID)}
				for j := range c.args {
					if c.args[j] = values[r.IntN(len(values))]; r.IntN(4) == 0 {
						c.args[j] = r.Uint64() >> r.IntN(64)
					}
				}
				want := uint32(retErrno | enosys)
				if listed {
					want = o.answer(info, nr, c.args)
				}
				if got := run(t, prog, c); got != want {
					t.Fatalf("%s %s (%d) %x: %#x, want %#x", a, info.SyscallNumbers[int(nr)], nr, c.args, got, want)
				}
			}
		}
	}
	if got := run(t, prog, call{arch: 0xdeadbeef}); got != retErrno|enosys {
		t.Errorf("an unknown ABI gets %#x", got)
	}
	t.Logf("%d instructions", len(prog))
}

func TestDefault(t *testing.T) {
	for name, caps := range map[string][]string{
		"docker": {"CAP_CHOWN", "CAP_KILL", "CAP_SYS_CHROOT"},
		"admin":  {"CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_BPF"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Default(caps)
			if err != nil {
				t.Fatal(err)
			}
			check(t, p, "amd64", 10)
		})
	}
}

func TestOperators(t *testing.T) {
	two := uint(2)
	var calls []specs.LinuxSyscall
	names := []string{"read", "write", "openat", "close", "mmap", "ioctl", "socket"}
	for i, op := range []specs.LinuxSeccompOperator{specs.OpEqualTo, specs.OpNotEqual, specs.OpMaskedEqual, specs.OpGreaterThan, specs.OpGreaterEqual, specs.OpLessThan, specs.OpLessEqual} {
		calls = append(calls,
			specs.LinuxSyscall{Names: []string{names[i]}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{{Index: 1, Value: 0x1_0000_0002, ValueTwo: 2, Op: op}}},
			specs.LinuxSyscall{Names: []string{names[i]}, Action: specs.ActLog, Args: []specs.LinuxSeccompArg{{Index: 0, Value: 7, Op: op}, {Index: 5, Value: 9, Op: specs.OpEqualTo}}},
		)
	}
	calls = append(calls,
		specs.LinuxSyscall{Names: []string{"kill"}, Action: specs.ActErrno, ErrnoRet: &two, Args: []specs.LinuxSeccompArg{{Index: 0, Value: 1, Op: specs.OpEqualTo}, {Index: 0, Value: 2, Op: specs.OpEqualTo}}},
		specs.LinuxSyscall{Names: []string{"getpid", "no_such_call"}, Action: specs.ActKillProcess},
		specs.LinuxSyscall{Names: []string{"getpid"}, Action: specs.ActTrap, Args: []specs.LinuxSeccompArg{{Index: 0, Value: 1, Op: specs.OpEqualTo}}},
	)
	for _, def := range []specs.LinuxSeccompAction{specs.ActErrno, specs.ActAllow, specs.ActKill} {
		for _, goarch := range []string{"amd64", "arm64"} {
			p := &specs.LinuxSeccomp{DefaultAction: def, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32, specs.ArchAARCH64, specs.ArchARM}, Syscalls: calls}
			check(t, p, goarch, 60)
			p.Architectures = nil
			check(t, p, goarch, 20)
		}
	}
}

func TestRefusals(t *testing.T) {
	big := uint(70000)
	for name, p := range map[string]*specs.LinuxSeccomp{
		"an action of another kernel": {DefaultAction: "SCMP_ACT_DANCE"},
		"notify":                      {DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"read"}, Action: specs.ActNotify}}},
		"an errno that is too large":  {DefaultAction: specs.ActErrno, DefaultErrnoRet: &big},
		"an argument too many":        {DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"read"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{{Index: 6, Op: specs.OpEqualTo}}}}},
		"an unknown comparison":       {DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"read"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{{Op: "SCMP_CMP_MAYBE"}}}}},
	} {
		if _, err := compile(p, "amd64"); err == nil {
			t.Errorf("%s was compiled", name)
		}
	}
	if _, err := compile(&specs.LinuxSeccomp{DefaultAction: specs.ActAllow}, "riscv64"); err == nil {
		t.Error("an architecture without tables was compiled for")
	}
}

func BenchmarkCompile(b *testing.B) {
	p, err := Default([]string{"CAP_CHOWN"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Compile(p); err != nil {
			b.Fatal(err)
		}
	}
}
