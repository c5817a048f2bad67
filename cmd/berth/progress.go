package main

import (
	"fmt"
	"os"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/term"
)

// progressPause is the least time between two states of the progress line.
const progressPause = 100 * time.Millisecond

// progress shows how far a pull is, as one line on standard error: rewritten in
// place on a terminal, else written once.
type progress struct {
	w     *os.File
	image string
	quiet bool
	tty   bool
	shown bool // something is on the line
	last  time.Time
}

func (a *app) newProgress(image string, quiet bool) *progress {
	return &progress{w: a.stderr, image: image, quiet: quiet, tty: isTerminal(a.stderr)}
}

// update shows p.
func (b *progress) update(p berth.PullProgress) {
	switch {
	case b.quiet:
	case !b.tty && b.shown:
	case !b.tty:
		b.shown = true
		fmt.Fprintf(b.w, "berth: pulling %s\n", printable(b.image))
	case time.Since(b.last) >= progressPause:
		b.shown, b.last = true, time.Now()
		fmt.Fprintf(b.w, "\r%s\x1b[K", fit(progressText(b.image, p), b.columns()))
	}
}

// clear takes the line away.
func (b *progress) clear() {
	if b.tty && b.shown {
		b.shown = false
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}

// columns is how wide the terminal is, 80 if it does not tell.
func (b *progress) columns() int {
	if t, err := term.Open(nil, b.w); err == nil {
		if s, err := t.Size(); err == nil && s.Cols > 0 {
			return s.Cols
		}
	}
	return 80
}

// progressText is the progress in words.
func progressText(image string, p berth.PullProgress) string {
	s := "pulling " + printable(image)
	if p.Total > 0 {
		s += fmt.Sprintf(": %s of %s", humanSize(berth.Bytes(p.Current)), humanSize(berth.Bytes(p.Total)))
	}
	if percent := p.Percent(); percent >= 0 {
		s += fmt.Sprintf(" (%.0f %%)", percent)
	}
	if p.Layers > 0 {
		s += fmt.Sprintf(", %d of %d layers", p.Done, p.Layers)
	}
	return s
}

// fit cuts s so that it stays on one line.
func fit(s string, columns int) string {
	if r := []rune(s); columns > 1 && len(r) >= columns {
		return string(r[:columns-1])
	}
	return s
}
