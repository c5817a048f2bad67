package seccomp

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/elastic/go-seccomp-bpf/arch"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// Instruction is one of the kernel's classic BPF: struct sock_filter of linux/filter.h.
type Instruction struct {
	Code   uint16
	Jt, Jf uint8
	K      uint32
}

// The operations in use: class, size and mode of linux/bpf_common.h combined.
const (
	opLoad  = 0x20 // LD|W|ABS
	opJump  = 0x05 // JMP|JA
	opEqual = 0x15 // JMP|JEQ|K
	opGt    = 0x25 // JMP|JGT|K
	opGe    = 0x35 // JMP|JGE|K
	opAnd   = 0x54 // ALU|AND|K
	opRet   = 0x06 // RET|K
)

// Offsets in struct seccomp_data of linux/seccomp.h.
const (
	offNumber = 0
	offArch   = 4
	offArgs   = 16
)

const (
	enosys = 38
	x32Bit = 0x40000000
	// maxLen is BPF_MAXINSNS: the kernel takes no longer filter.
	maxLen = 4096
)

// ABIs of one architecture, by the profile's names: the native one first.
func abis(goarch string) ([]specs.Arch, error) {
	switch goarch {
	case "amd64":
		return []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32}, nil
	case "arm64":
		return []specs.Arch{specs.ArchAARCH64, specs.ArchARM}, nil
	}
	return nil, fmt.Errorf("compile seccomp profile: no tables for %s", goarch)
}

func table(a specs.Arch) *arch.Info {
	switch a {
	case specs.ArchX86_64:
		return arch.X86_64
	case specs.ArchX86:
		return arch.I386
	case specs.ArchX32:
		return arch.X32
	case specs.ArchAARCH64:
		return arch.AARCH64
	case specs.ArchARM:
		return arch.ARM
	}
	return nil
}

// Compile makes the filter of a profile for this machine. System calls that this
// architecture does not have are passed over, as libseccomp does. Without
// Architectures in the profile the native ABI alone is let through; a call
// through an ABI that is not listed gets ENOSYS.
func Compile(p *specs.LinuxSeccomp) ([]Instruction, error) { return compile(p, runtime.GOARCH) }

func compile(p *specs.LinuxSeccomp, goarch string) ([]Instruction, error) {
	known, err := abis(goarch)
	if err != nil {
		return nil, err
	}
	if p.ListenerPath != "" {
		return nil, fmt.Errorf("compile seccomp profile: listenerPath is not supported")
	}
	// filters by the kernel's name of the ABI: x32 shares x86_64's.
	programs := map[uint32][]Instruction{}
	var order []uint32
	var x32 []Instruction
	for i, a := range known {
		if !slices.Contains(p.Architectures, a) && !(i == 0) {
			continue
		}
		prog, err := oneABI(p, table(a))
		if err != nil {
			return nil, err
		}
		if a == specs.ArchX32 {
			x32 = prog
			continue
		}
		id := uint32(table(a).ID)
		programs[id] = prog
		order = append(order, id)
	}
	out := []Instruction{{Code: opLoad, K: offArch}}
	for _, id := range order {
		body := []Instruction{{Code: opLoad, K: offNumber}}
		if goarch == "amd64" && id == uint32(arch.X86_64.ID) {
			other := x32
			if other == nil {
				other = []Instruction{errno(enosys)}
			}
			// number >= x32Bit: the x32 program behind the native one.
			native := programs[id]
			body = append(body, Instruction{Code: opGe, Jf: 1, K: x32Bit}, Instruction{Code: opJump, K: uint32(len(native))})
			body = append(append(body, native...), other...)
		} else {
			body = append(body, programs[id]...)
		}
		out = append(out, Instruction{Code: opEqual, Jt: 1, K: id}, Instruction{Code: opJump, K: uint32(len(body))})
		out = append(out, body...)
	}
	out = append(out, errno(enosys))
	if len(out) > maxLen {
		return nil, fmt.Errorf("compile seccomp profile: %d instructions, and the kernel takes %d", len(out), maxLen)
	}
	return out, nil
}

func errno(n uint32) Instruction { return Instruction{Code: opRet, K: retErrno | n} }

// segment is a range of numbers, from start to the next segment's, with one answer.
type segment struct {
	start uint32
	body  []Instruction
}

// oneABI is the program for the numbers of one ABI; the number is loaded.
func oneABI(p *specs.LinuxSeccomp, info *arch.Info) ([]Instruction, error) {
	rules, highest, err := rulesOf(p, info)
	if err != nil {
		return nil, err
	}
	def, err := action(p.DefaultAction, p.DefaultErrnoRet)
	if err != nil {
		return nil, err
	}
	defBody := []Instruction{{Code: opRet, K: def}}
	mask := uint32(info.SeccompMask)
	segs := []segment{{0, defBody}}
	add := func(start uint32, body []Instruction) {
		if last := segs[len(segs)-1]; len(body) == 1 && len(last.body) == 1 && last.body[0] == body[0] {
			return
		}
		if last := &segs[len(segs)-1]; last.start == start {
			last.body = body
			return
		}
		segs = append(segs, segment{start, body})
	}
	for nr := range highest + 1 {
		body := defBody
		if r, ok := rules[nr]; ok {
			if body, err = r.program(def); err != nil {
				return nil, err
			}
		}
		add(nr|mask, body)
	}
	// What is newer than the profile: ENOSYS, where the default is to refuse.
	if refuses(p.DefaultAction) {
		add((highest+1)|mask, []Instruction{errno(enosys)})
	} else {
		add((highest+1)|mask, defBody)
	}
	return tree(segs), nil
}

// tree finds the segment of the loaded number by halves.
func tree(segs []segment) []Instruction {
	if len(segs) == 1 {
		return segs[0].body
	}
	mid := len(segs) / 2
	low, high := tree(segs[:mid]), tree(segs[mid:])
	var out []Instruction
	if len(low) < 256 {
		out = append(out, Instruction{Code: opGe, Jt: uint8(len(low)), K: segs[mid].start})
	} else {
		out = append(out, Instruction{Code: opGe, Jf: 1, K: segs[mid].start}, Instruction{Code: opJump, K: uint32(len(low))})
	}
	return append(append(out, low...), high...)
}
