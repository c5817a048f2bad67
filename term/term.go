package term

import (
	"errors"
	"fmt"
	"os"
)

// ErrNotTerminal is what Open fails with for a file, a pipe or a socket.
var ErrNotTerminal = errors.New("not a terminal")

// Size is a terminal's size in character cells.
type Size struct{ Rows, Cols int }

// Terminal is a terminal that a program reads from and writes to. Its methods
// are safe for concurrent use.
type Terminal struct {
	in, out *os.File // nil where there is none; out may be something else
}

// IsTerminal tells whether f is a terminal. A nil file is none.
func IsTerminal(f *os.File) bool {
	if f == nil {
		return false
	}
	_, err := control(f, getMode)
	return err == nil
}

// Open takes the terminal that in and out are. Either may be nil: then nothing
// is read from, or written to, the terminal. An in that is given must be a
// terminal; an out that is something else beside it, as in "program >file", is
// let be. Otherwise the error is an ErrNotTerminal. The files stay the
// caller's, who keeps them open for as long as the Terminal is used.
func Open(in, out *os.File) (*Terminal, error) {
	switch {
	case in != nil && !IsTerminal(in):
		return nil, fmt.Errorf("open terminal: %s: %w", in.Name(), ErrNotTerminal)
	case in == nil && out == nil:
		return nil, fmt.Errorf("open terminal: neither input nor output: %w", ErrNotTerminal)
	case in == nil && !IsTerminal(out):
		return nil, fmt.Errorf("open terminal: %s: %w", out.Name(), ErrNotTerminal)
	}
	return &Terminal{in, out}, nil
}

// In is the file to read from, nil if there is none.
func (t *Terminal) In() *os.File { return t.in }

// Out is the file to write to, nil if there is none. It need not be a terminal.
func (t *Terminal) Out() *os.File { return t.out }

// Size is the terminal's size now. A terminal that does not know its size says
// zero.
func (t *Terminal) Size() (Size, error) {
	f := t.out
	if !IsTerminal(f) {
		f = t.in
	}
	s, err := control(f, getSize)
	if err != nil {
		return Size{}, fmt.Errorf("read terminal size: %w", err)
	}
	return s, nil
}

// control calls ask with f's descriptor. It does not use f.Fd, which may put
// the file into blocking mode, from which a read cannot be interrupted.
func control[T any](f *os.File, ask func(fd uintptr) (T, error)) (T, error) {
	var v T
	conn, err := f.SyscallConn()
	if err != nil {
		return v, err
	}
	var asked error
	if err := conn.Control(func(fd uintptr) { v, asked = ask(fd) }); err != nil {
		// The only reason there is, under a name that callers can know.
		return v, &os.PathError{Op: "ioctl", Path: f.Name(), Err: os.ErrClosed}
	}
	return v, asked
}
