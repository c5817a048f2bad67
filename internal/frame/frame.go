package frame

import (
	"encoding/binary"
	"fmt"
	"io"
)

// headerSize is the number of bytes before each payload.
const headerSize = 8

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

// HeaderError is a header that is none: an unknown stream, or bytes 1 to 3 not zero. It is how the bytes of a TTY, read as frames, show themselves.
type HeaderError struct {
	Header [headerSize]byte // as read
	Offset int64            // of the header's first byte, from the start of the stream
}

func (e *HeaderError) Error() string {
	return fmt.Sprintf("invalid frame header %q at offset %d (is it the stream of a TTY?)", e.Header[:], e.Offset)
}

// readHeader reads one header of r into b, which has headerSize bytes. offset is where it begins, for the error. It returns io.EOF at a clean end (before the header's first byte)
// and io.ErrUnexpectedEOF inside it.
func readHeader(r io.Reader, b []byte, offset int64) (Stream, int64, error) {
	if _, err := io.ReadFull(r, b); err != nil {
		return 0, 0, err
	}
	return parseHeader(b, offset)
}

func parseHeader(b []byte, offset int64) (Stream, int64, error) {
	if b[0] > byte(SystemErr) || b[1] != 0 || b[2] != 0 || b[3] != 0 {
		return 0, 0, &HeaderError{Header: [headerSize]byte(b), Offset: offset}
	}
	return Stream(b[0]), int64(binary.BigEndian.Uint32(b[4:])), nil
}

func putHeader(b []byte, s Stream, size int) {
	b[0], b[1], b[2], b[3] = byte(s), 0, 0, 0
	binary.BigEndian.PutUint32(b[4:], uint32(size))
}
