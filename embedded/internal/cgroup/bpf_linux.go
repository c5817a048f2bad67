package cgroup

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// cgroup v2 has no devices controller: a BPF program of the group decides on each
// opening and making of a device node. It is called with
//
//	struct bpf_cgroup_dev_ctx { __u32 access_type; __u32 major; __u32 minor; }
//
// where access_type is access<<16 | type, and answers 1 for yes. The programs of all groups above must say yes, too.

// instruction is one of BPF: opcode, registers, offset of a jump, constant.
type instruction struct {
	op       uint8
	dst, src uint8
	off      int16
	imm      int32
}

// Opcodes of the few instructions that are needed.
const (
	opLoad    = unix.BPF_LDX | unix.BPF_MEM | unix.BPF_W
	opMov     = unix.BPF_ALU | unix.BPF_MOV | unix.BPF_K
	opMovReg  = unix.BPF_ALU | unix.BPF_MOV | unix.BPF_X
	opAnd     = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	opShift   = unix.BPF_ALU | unix.BPF_RSH | unix.BPF_K
	opJumpNe  = unix.BPF_JMP | unix.BPF_JNE | unix.BPF_K
	opJumpEqR = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_X
	opJumpNeR = unix.BPF_JMP | unix.BPF_JNE | unix.BPF_X
	opJumpEq  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	opExit    = unix.BPF_JMP | unix.BPF_EXIT
)

// compile makes the program of a set of rules.
//
// As in v1, one exception alone must allow all of the access that is asked for,
// and with a default of allowing, an exception denies access that it has any part of.
func (s ruleSet) compile() []instruction {
	p := []instruction{
		{op: opLoad, dst: 2, src: 1}, // r2: type
		{op: opAnd, dst: 2, imm: 0xffff},
		{op: opLoad, dst: 3, src: 1}, // r3: access
		{op: opShift, dst: 3, imm: 16},
		{op: opLoad, dst: 4, src: 1, off: 4}, // r4: major
		{op: opLoad, dst: 5, src: 1, off: 8}, // r5: minor
	}
	result := func(allow bool) []instruction {
		v := instruction{op: opMov}
		if allow {
			v.imm = 1
		}
		return []instruction{v, {op: opExit}}
	}
	for _, e := range s.exceptions {
		kind := int32(unix.BPF_DEVCG_DEV_CHAR)
		if e.kind == 'b' {
			kind = unix.BPF_DEVCG_DEV_BLOCK
		}
		block := []instruction{{op: opJumpNe, dst: 2, imm: kind}}
		if e.access != accessAll {
			block = append(block, instruction{op: opMovReg, dst: 1, src: 3}, instruction{op: opAnd, dst: 1, imm: int32(e.access)})
			if s.allow {
				block = append(block, instruction{op: opJumpEq, dst: 1})
			} else {
				block = append(block, instruction{op: opJumpNeR, dst: 1, src: 3})
			}
		}
		if e.major != anyNumber {
			block = append(block, instruction{op: opJumpNe, dst: 4, imm: int32(e.major)})
		}
		if e.minor != anyNumber {
			block = append(block, instruction{op: opJumpNe, dst: 5, imm: int32(e.minor)})
		}
		block = append(block, result(!s.allow)...)
		for i := range block {
			if isJump(block[i].op) {
				block[i].off = int16(len(block) - i - 1) // to the next exception
			}
		}
		p = append(p, block...)
	}
	return append(p, result(s.allow)...)
}

func isJump(op uint8) bool { return op&7 == unix.BPF_JMP && op != opExit }

// encode writes a program as the kernel reads it.
func encode(p []instruction) []byte {
	b := make([]byte, 0, 8*len(p))
	for _, i := range p {
		registers := i.dst | i.src<<4
		if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
			registers = i.dst<<4 | i.src
		}
		b = append(b, i.op, registers)
		b = binary.NativeEndian.AppendUint16(b, uint16(i.off))
		b = binary.NativeEndian.AppendUint32(b, uint32(i.imm))
	}
	return b
}

// setDevicesV2 gives the group of a directory a program in place of those that it has.
func setDevicesV2(path string, set ruleSet) error {
	dir, err := open(path, unix.O_DIRECTORY|unix.O_RDONLY)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	old, err := attachedPrograms(dir)
	if err != nil {
		return fmt.Errorf("look up the device rules of %s: %w", path, err)
	}
	if set.allow && len(set.exceptions) == 0 && len(old) == 0 {
		return nil
	}
	program, err := loadProgram(encode(set.compile()))
	if err != nil {
		return fmt.Errorf("load device rules: %w", err)
	}
	defer unix.Close(program)
	if err := attachProgram(dir, program); err != nil {
		return fmt.Errorf("attach device rules to %s: %w", path, err)
	}
	// Both hold for a moment: access that either denies is denied.
	for _, id := range old {
		if err := detachProgram(dir, id); err != nil {
			return fmt.Errorf("replace the device rules of %s: %w", path, err)
		}
	}
	return nil
}

// loadProgram hands a program to the kernel. Before Linux 5.11 it counts as locked
// memory of the user, whose limit is small: it is lifted for the call where it must be.
func loadProgram(code []byte) (int, error) {
	license := []byte("Apache\x00")
	attr := struct {
		progType, count uint32
		insns, license  uint64
		logLevel, size  uint32
		log             uint64
		version, flags  uint32
		name            [16]byte
	}{progType: unix.BPF_PROG_TYPE_CGROUP_DEVICE, count: uint32(len(code) / 8), name: [16]byte{'b', 'e', 'r', 't', 'h'}}
	attr.insns = uint64(uintptr(unsafe.Pointer(&code[0])))
	attr.license = uint64(uintptr(unsafe.Pointer(&license[0])))
	load := func() (int, error) {
		fd, err := bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
		runtime.KeepAlive(code)
		runtime.KeepAlive(license)
		return fd, err
	}
	fd, err := load()
	if err == unix.EPERM {
		var limit unix.Rlimit
		infinite := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
		if unix.Prlimit(0, unix.RLIMIT_MEMLOCK, &infinite, &limit) == nil {
			fd, err = load()
			unix.Prlimit(0, unix.RLIMIT_MEMLOCK, &limit, nil)
		}
	}
	return fd, err
}

// attachAttr is the part of union bpf_attr for BPF_PROG_ATTACH and BPF_PROG_DETACH.
type attachAttr struct{ target, program, kind, flags, replace uint32 }

func attachProgram(dir, program int) error {
	a := attachAttr{target: uint32(dir), program: uint32(program), kind: unix.BPF_CGROUP_DEVICE, flags: unix.BPF_F_ALLOW_MULTI}
	_, err := bpf(unix.BPF_PROG_ATTACH, unsafe.Pointer(&a), unsafe.Sizeof(a))
	return err
}

func detachProgram(dir int, id uint32) error {
	byID := struct{ id, next, flags uint32 }{id: id}
	program, err := bpf(unix.BPF_PROG_GET_FD_BY_ID, unsafe.Pointer(&byID), unsafe.Sizeof(byID))
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(program)
	a := attachAttr{target: uint32(dir), program: uint32(program), kind: unix.BPF_CGROUP_DEVICE}
	_, err = bpf(unix.BPF_PROG_DETACH, unsafe.Pointer(&a), unsafe.Sizeof(a))
	return err
}

// attachedPrograms are the IDs of the programs of the group itself.
func attachedPrograms(dir int) ([]uint32, error) {
	ids := make([]uint32, 64) // as many as a group can have
	attr := struct {
		target, kind, query, flags uint32
		ids                        uint64
		count                      uint32
	}{target: uint32(dir), kind: unix.BPF_CGROUP_DEVICE, count: uint32(len(ids))}
	attr.ids = uint64(uintptr(unsafe.Pointer(&ids[0])))
	_, err := bpf(unix.BPF_PROG_QUERY, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	runtime.KeepAlive(ids)
	if err != nil {
		return nil, err
	}
	return ids[:attr.count], nil
}

// bpf calls bpf(2) again while it is interrupted, and returns an errno as it is.
func bpf(cmd uintptr, attr unsafe.Pointer, size uintptr) (int, error) {
	for range 30 {
		r, _, errno := unix.Syscall(unix.SYS_BPF, cmd, uintptr(attr), size)
		switch errno {
		case 0:
			return int(r), nil
		case unix.EAGAIN, unix.EINTR:
		default:
			return -1, errno
		}
	}
	return -1, os.NewSyscallError("bpf", unix.EAGAIN)
}
