package term

import (
	"context"
	"iter"
	"os"
)

// Size is a terminal's size in character cells.
type Size struct{ Rows, Cols int }

// Terminal is a terminal that a program reads from and writes to.
type Terminal struct {
	in, out *os.File
}

// IsTerminal tells whether f is a terminal.
func IsTerminal(f *os.File) bool { return false }

// Open takes the terminal that in and out are. The files stay the caller's.
func Open(in, out *os.File) (*Terminal, error) { return &Terminal{in, out}, nil }

// MakeRaw switches to raw mode until restore is called.
func (t *Terminal) MakeRaw() (restore func() error, err error) {
	return func() error { return nil }, nil
}

// Size is the terminal's size now.
func (t *Terminal) Size() (Size, error) { return Size{}, nil }

// Resizes yields the size now and then every change of it until ctx is done.
func (t *Terminal) Resizes(ctx context.Context) iter.Seq[Size] {
	return func(func(Size) bool) {}
}
