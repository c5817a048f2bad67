package seccomp

import (
	"fmt"

	"github.com/elastic/go-seccomp-bpf/arch"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// What a filter returns: SECCOMP_RET_… of linux/seccomp.h.
const (
	retKillProcess = 0x80000000
	retKillThread  = 0x00000000
	retTrap        = 0x00030000
	retErrno       = 0x00050000
	retTrace       = 0x7ff00000
	retLog         = 0x7ffc0000
	retAllow       = 0x7fff0000
	retData        = 0x0000ffff
)

// action is the return value of a profile's action; its number is EPERM where the profile gives none.
func action(a specs.LinuxSeccompAction, number *uint) (uint32, error) {
	n := uint32(1)
	if number != nil {
		n = uint32(*number)
	}
	if n > retData {
		return 0, fmt.Errorf("compile seccomp profile: errno %d is too large", n)
	}
	switch a {
	case specs.ActKill, specs.ActKillThread:
		return retKillThread, nil
	case specs.ActKillProcess:
		return retKillProcess, nil
	case specs.ActTrap:
		return retTrap, nil
	case specs.ActErrno:
		return retErrno | n, nil
	case specs.ActTrace:
		return retTrace | n, nil
	case specs.ActLog:
		return retLog, nil
	case specs.ActAllow:
		return retAllow, nil
	}
	return 0, fmt.Errorf("compile seccomp profile: action %q is not supported", a)
}

// refuses tells that an action keeps the system call from being made.
func refuses(a specs.LinuxSeccompAction) bool {
	switch a {
	case specs.ActAllow, specs.ActLog, specs.ActTrace:
		return false
	}
	return true
}

// rule is what a profile says of one system call.
type rule struct {
	always *uint32 // the answer whatever the arguments; it wins over conditions, as in libseccomp
	when   []condition
}

// condition is an answer for arguments that match all of args.
type condition struct {
	args []specs.LinuxSeccompArg
	ret  uint32
}

// rulesOf collects the rules by number without the ABI's mask, and the highest number that the profile names.
func rulesOf(p *specs.LinuxSeccomp, info *arch.Info) (map[uint32]*rule, uint32, error) {
	// Several numbers may bear one name: x32 has some calls twice.
	numbers := make(map[string][]uint32, len(info.SyscallNumbers))
	all := make([]uint32, 0, len(info.SyscallNumbers)) // one allocation: every start of a container waits for this
	for nr, name := range info.SyscallNumbers {
		if list, ok := numbers[name]; ok {
			numbers[name] = append(list, uint32(nr))
			continue
		}
		all = append(all, uint32(nr))
		numbers[name] = all[len(all)-1 : len(all) : len(all)]
	}
	// The table has the kernel's name of the generic call; profiles have libseccomp's, on every machine.
	if list, ok := numbers["fstatat"]; ok && numbers["newfstatat"] == nil {
		numbers["newfstatat"] = list
	}
	rules := make(map[uint32]*rule, len(numbers))
	made := make([]rule, 0, len(info.SyscallNumbers))
	highest := uint32(0)
	for _, s := range p.Syscalls {
		ret, err := action(s.Action, s.ErrnoRet)
		if err != nil {
			return nil, 0, err
		}
		for _, a := range s.Args {
			if a.Index > 5 {
				return nil, 0, fmt.Errorf("compile seccomp profile: %v: a system call has no argument %d", s.Names, a.Index)
			}
		}
		for _, name := range s.Names {
			for _, nr := range numbers[name] {
				highest = max(highest, nr)
				if rules[nr] == nil {
					made = append(made, rule{}) // within its capacity, as each number is here once
					rules[nr] = &made[len(made)-1]
				}
				rules[nr].add(s.Args, &ret)
			}
		}
	}
	return rules, highest, nil
}

// add adds an entry of the profile. An argument that is named twice makes each
// of its conditions a rule of its own, as in runc.
func (r *rule) add(args []specs.LinuxSeccompArg, ret *uint32) {
	if len(args) == 0 {
		r.always = ret
		return
	}
	var seen [6]bool
	twice := false
	for _, a := range args {
		twice = twice || seen[a.Index]
		seen[a.Index] = true
	}
	if !twice {
		r.when = append(r.when, condition{args, *ret})
		return
	}
	for _, a := range args {
		r.when = append(r.when, condition{[]specs.LinuxSeccompArg{a}, *ret})
	}
}

// program is the rule's answer; def is that of the profile, for arguments that match nothing.
func (r *rule) program(def uint32) ([]Instruction, error) {
	if r.always != nil {
		return []Instruction{{Code: opRet, K: *r.always}}, nil
	}
	var out []Instruction
	for _, c := range r.when {
		body, err := c.program()
		if err != nil {
			return nil, err
		}
		out = append(out, body...)
	}
	return append(out, Instruction{Code: opRet, K: def}), nil
}

// toEnd marks a jump behind the condition; program resolves it.
const toEnd = 255

// program returns the condition's answer if all arguments match, else it falls through behind itself.
func (c condition) program() ([]Instruction, error) {
	var out []Instruction
	for _, a := range c.args {
		body, err := compare(a)
		if err != nil {
			return nil, err
		}
		out = append(out, body...)
	}
	out = append(out, Instruction{Code: opRet, K: c.ret})
	for i := range out {
		end := uint8(len(out) - i - 1)
		if out[i].Jt == toEnd {
			out[i].Jt = end
		}
		if out[i].Jf == toEnd {
			out[i].Jf = end
		}
	}
	return out, nil
}

// compare goes on behind itself if the argument matches, else to the condition's
// end. Arguments are 64 bits, compared as two halves, the high one first.
func compare(a specs.LinuxSeccompArg) ([]Instruction, error) {
	hi, lo := uint32(a.Value>>32), uint32(a.Value)
	off := uint32(offArgs + 8*a.Index)
	loadHi, loadLo := Instruction{Code: opLoad, K: off + 4}, Instruction{Code: opLoad, K: off}
	switch a.Op {
	case specs.OpEqualTo:
		return []Instruction{
			loadHi, {Code: opEqual, Jf: toEnd, K: hi},
			loadLo, {Code: opEqual, Jf: toEnd, K: lo},
		}, nil
	case specs.OpNotEqual:
		return []Instruction{
			loadHi, {Code: opEqual, Jf: 2, K: hi},
			loadLo, {Code: opEqual, Jt: toEnd, K: lo},
		}, nil
	case specs.OpMaskedEqual: // argument & value == valueTwo
		return []Instruction{
			loadHi, {Code: opAnd, K: hi}, {Code: opEqual, Jf: toEnd, K: uint32(a.ValueTwo >> 32)},
			loadLo, {Code: opAnd, K: lo}, {Code: opEqual, Jf: toEnd, K: uint32(a.ValueTwo)},
		}, nil
	case specs.OpGreaterThan:
		return []Instruction{
			loadHi, {Code: opGt, Jt: 3, K: hi}, {Code: opEqual, Jf: toEnd, K: hi},
			loadLo, {Code: opGt, Jf: toEnd, K: lo},
		}, nil
	case specs.OpGreaterEqual:
		return []Instruction{
			loadHi, {Code: opGt, Jt: 3, K: hi}, {Code: opEqual, Jf: toEnd, K: hi},
			loadLo, {Code: opGe, Jf: toEnd, K: lo},
		}, nil
	case specs.OpLessThan:
		return []Instruction{
			loadHi, {Code: opGt, Jt: toEnd, K: hi}, {Code: opEqual, Jf: 2, K: hi},
			loadLo, {Code: opGe, Jt: toEnd, K: lo},
		}, nil
	case specs.OpLessEqual:
		return []Instruction{
			loadHi, {Code: opGt, Jt: toEnd, K: hi}, {Code: opEqual, Jf: 2, K: hi},
			loadLo, {Code: opGt, Jt: toEnd, K: lo},
		}, nil
	}
	return nil, fmt.Errorf("compile seccomp profile: comparison %q is not known", a.Op)
}
