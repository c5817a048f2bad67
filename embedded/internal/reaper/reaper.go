//go:build linux && (amd64 || arm64)

package reaper

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"unsafe"
)

// Path is where the reaper is in a container.
const Path = "/dev/init"

// code is the address of the program. Nobody calls it.
func code() *byte

// end is what follows the program's last instruction.
var end = []byte("berth-reaper-end")

// maxCode bounds the search for end, in bytes.
const maxCode = 4 << 10

// base is the address at which the program is loaded. It does not depend on it.
const base = 0x400000

// Program is the executable file.
func Program() []byte {
	text := unsafe.Slice(code(), maxCode)
	text = text[:bytes.Index(text, end)]
	machine := map[string]uint16{"amd64": 62, "arm64": 183}[runtime.GOARCH]
	const header, segment = 64, 56
	at := uint64(header + 2*segment)
	size := at + uint64(len(text))
	var b bytes.Buffer
	for _, v := range []any{
		// ELF header: 64 bits, little-endian, an executable.
		[16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, uint16(2), machine, uint32(1), base + at,
		uint64(header), uint64(0), uint32(0), uint16(header), uint16(segment), uint16(2), [3]uint16{64},
		// One segment, read and executed: PT_LOAD.
		uint32(1), uint32(5), uint64(0), uint64(base), uint64(base), size, size, uint64(0x10000),
		// The stack is not executed: PT_GNU_STACK.
		uint32(0x6474e551), uint32(6), [5]uint64{}, uint64(16),
	} {
		binary.Write(&b, binary.LittleEndian, v)
	}
	return append(b.Bytes(), text...)
}
