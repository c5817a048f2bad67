package main

import (
	"context"
	"iter"
	"math"
	"os"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/term"
)

// foreground is the user's terminal while a process with a terminal of its own is in
// the foreground. Without one there is none, and its methods do nothing.
type foreground struct {
	app  *app
	term *term.Terminal // nil: none
	in   bool           // what is typed goes to the process
}

func isTerminal(f *os.File) bool { return term.IsTerminal(f) }

// foreground takes the user's terminal for a process with a terminal. Without
// interactive only its size is of interest.
func (a *app) foreground(tty, interactive bool) (*foreground, error) {
	fg := &foreground{app: a, in: interactive}
	if !tty {
		return fg, nil
	}
	var err error
	switch {
	case interactive:
		fg.term, err = term.Open(a.stdin, a.stdout)
	case isTerminal(a.stdout):
		fg.term, err = term.Open(nil, a.stdout)
	}
	return fg, err
}

// raw makes the terminal raw, if what is typed goes to the process.
func (fg *foreground) raw() error {
	if fg.term == nil || !fg.in {
		return nil
	}
	return fg.app.rawTerminal(fg.term)
}

// size is the terminal's size, zero if it is not known.
func (fg *foreground) size() berth.Size {
	if fg.term == nil {
		return berth.Size{}
	}
	s, err := fg.term.Size()
	if err != nil {
		return berth.Size{}
	}
	return toSize(s)
}

// resizes yields the terminal's size and its changes; nil without one.
func (fg *foreground) resizes() func(context.Context) iter.Seq[berth.Size] {
	if fg.term == nil {
		return nil
	}
	return func(ctx context.Context) iter.Seq[berth.Size] {
		return func(yield func(berth.Size) bool) {
			for s := range fg.term.Resizes(ctx) {
				if !yield(toSize(s)) {
					return
				}
			}
		}
	}
}

func toSize(s term.Size) berth.Size {
	clamp := func(n int) uint16 { return uint16(min(max(n, 0), math.MaxUint16)) }
	return berth.Size{Rows: clamp(s.Rows), Cols: clamp(s.Cols)}
}
