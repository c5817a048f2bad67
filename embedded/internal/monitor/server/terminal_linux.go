package server

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

func itoa(n int) string { return strconv.Itoa(n) }

// setSize sets the size of a terminal by its master side.
func setSize(console *os.File, size engine.Size) error {
	if console == nil {
		return os.ErrInvalid
	}
	conn, err := console.SyscallConn()
	if err != nil {
		return err
	}
	var serr error
	err = conn.Control(func(fd uintptr) {
		serr = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: size.Rows, Col: size.Cols})
	})
	if err == nil {
		err = serr
	}
	return err
}

// detacher finds the detach keys in what is typed, in one piece or in several.
type detacher struct {
	keys []byte
	have int // how many of them were typed last, and held back
}

// filter gives what of p is for the process, and whether the keys were typed. Keys that are
// held back and turn out to be none are put before what follows them. p may be changed.
func (d *detacher) filter(p []byte) (out []byte, detached bool) {
	if len(d.keys) == 0 {
		return p, false
	}
	out = make([]byte, 0, len(p)+d.have)
	for _, b := range p {
		for b != d.keys[d.have] && d.have > 0 {
			// What was held back began too early: the longest end of it that is a beginning stays.
			out, d.have = d.shorten(out)
		}
		if b != d.keys[d.have] {
			out = append(out, b)
			continue
		}
		if d.have++; d.have == len(d.keys) {
			d.have = 0
			return out, true
		}
	}
	return out, false
}

// shorten lets the first of the held back keys go, and as many more as needed.
func (d *detacher) shorten(out []byte) ([]byte, int) {
	held := d.keys[:d.have]
	for n := 1; ; n++ {
		if string(held[n:]) == string(d.keys[:d.have-n]) {
			return append(out, held[:n]...), d.have - n
		}
	}
}
