package proto

import "encoding/binary"

// A stream from the monitor is frames, as in package frame of the root module, so
// that the caller can pass them on as they are. A terminal's output comes in frames of
// Stdout. The last frame is the end's: without it the connection has been cut.

// HeaderSize is the length of a frame's header.
const HeaderSize = 8

// Stream is what a frame carries.
type Stream byte

// The streams. From the caller come Stdin and End, which ends the input; a connection that ends is a
// client that is gone.
const (
	Stdin       Stream = 0
	Stdout      Stream = 1
	Stderr      Stream = 2
	InputClosed Stream = 0xfe // empty: the process takes no more input
	End         Stream = 0xff // empty, or an outcome
)

// AppendHeader appends the header of a frame of n bytes.
func AppendHeader(b []byte, s Stream, n int) []byte {
	return binary.BigEndian.AppendUint32(append(b, byte(s), 0, 0, 0), uint32(n))
}

// ParseHeader reads a frame's header.
func ParseHeader(h []byte) (s Stream, n int) {
	return Stream(h[0]), int(binary.BigEndian.Uint32(h[4:8]))
}

// An exec's stream ends with its outcome, so that nobody needs to ask for it: an older monitor's End is
// empty, and so is that of a stream which ends before the process.

// OutcomeSize is the length of an outcome.
const OutcomeSize = 8

// AppendOutcome appends the frame that ends the stream of an exec that is over.
func AppendOutcome(b []byte, code, pid int) []byte {
	b = AppendHeader(b, End, OutcomeSize)
	b = binary.BigEndian.AppendUint32(b, uint32(code))
	return binary.BigEndian.AppendUint32(b, uint32(pid))
}

// ParseOutcome reads what the End of OutcomeSize bytes holds.
func ParseOutcome(p []byte) (code, pid int) {
	return int(int32(binary.BigEndian.Uint32(p))), int(int32(binary.BigEndian.Uint32(p[4:])))
}
