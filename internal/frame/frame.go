package frame

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

const (
	headerSize     = 8        // bytes before each payload
	maxSystemError = 64 << 10 // bytes kept of an engine's error text
	maxEmptyReads  = 100      // reads of nothing without an error until io.ErrNoProgress, as in package bufio
)

// Stream says which of the process's streams a frame belongs to: the first byte of its header.
type Stream byte

const (
	Stdin     Stream = 0 // what was typed, echoed by the engine; shown as output
	Stdout    Stream = 1
	Stderr    Stream = 2
	SystemErr Stream = 3 // an error text of the engine itself, not of the process
)

// String returns the stream's name: stdin, stdout, stderr or systemerr.
func (s Stream) String() string {
	switch s {
	case Stdin:
		return "stdin"
	case Stdout:
		return "stdout"
	case Stderr:
		return "stderr"
	case SystemErr:
		return "systemerr"
	}
	return fmt.Sprintf("stream(%d)", byte(s))
}

// SystemError is an error that the engine sent inside the stream, in a frame of stream SystemErr.
type SystemError struct {
	Message string // as sent, without the newlines at its end
}

func (e *SystemError) Error() string { return "engine error in stream: " + e.Message }

// HeaderError is a header that is none: an unknown stream, or bytes 1 to 3 not zero. It is how the bytes of a TTY, read as frames, show themselves. It is reported as soon as the
// first wrong byte is there.
type HeaderError struct {
	Header []byte // as much of it as was there, 1 to 8 bytes
	Offset int64  // of the header's first byte, from the start of the stream
}

func (e *HeaderError) Error() string {
	return fmt.Sprintf("invalid frame header %q at offset %d (is it the stream of a TTY?)", e.Header, e.Offset)
}

// checkHeader says whether b, the first bytes of a header or all of it, can begin one. offset is where it begins, for the error.
func checkHeader(b []byte, offset int64) error {
	for i, c := range b[:min(len(b), 4)] {
		if i == 0 && c > byte(SystemErr) || i > 0 && c != 0 {
			return &HeaderError{Header: bytes.Clone(b), Offset: offset}
		}
	}
	return nil
}

// parseHeader returns what a checked header of headerSize bytes says.
func parseHeader(b []byte) (Stream, int64) {
	return Stream(b[0]), int64(binary.BigEndian.Uint32(b[4:]))
}

func putHeader(b []byte, s Stream, size int) {
	b[0], b[1], b[2], b[3] = byte(s), 0, 0, 0
	binary.BigEndian.PutUint32(b[4:], uint32(size))
}

func newSystemError(text []byte) *SystemError {
	return &SystemError{Message: string(bytes.TrimRight(text, "\r\n"))}
}
