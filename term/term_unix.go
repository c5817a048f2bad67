//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package term

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// mode is what termios(3) describes.
type mode = unix.Termios

// endSignals are the signals that end a program and that can be caught.
func endSignals() []os.Signal {
	return []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}
}

func getMode(fd uintptr) (mode, error) {
	m, err := unix.IoctlGetTermios(int(fd), getTermios)
	if err != nil {
		return mode{}, err
	}
	return *m, nil
}

func setMode(fd uintptr, m mode) error { return unix.IoctlSetTermios(int(fd), setTermios, &m) }

// rawOutput changes nothing: both directions have one mode.
func rawOutput(m mode) mode { return m }

// separateModes tells whether input and output have a mode each.
const separateModes = false

// rawInput is cfmakeraw(3).
func rawInput(m mode) mode {
	m.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	m.Oflag &^= unix.OPOST
	m.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	m.Cflag &^= unix.CSIZE | unix.PARENB
	m.Cflag |= unix.CS8
	m.Cc[unix.VMIN] = 1
	m.Cc[unix.VTIME] = 0
	return m
}

func getSize(fd uintptr) (Size, error) {
	w, err := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ)
	if err != nil {
		return Size{}, err
	}
	return Size{Rows: int(w.Row), Cols: int(w.Col)}, nil
}

// notifyResize tells of changes of the size of the process's terminal.
func notifyResize() (changed <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1) // one is enough: who receives looks afresh
	signal.Notify(c, syscall.SIGWINCH)
	return c, func() { signal.Stop(c) }
}
