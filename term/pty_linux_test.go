package term

import (
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// openPTY opens a new pseudo-terminal of 24 rows and 80 columns.
func openPTY(t *testing.T) (master, slave *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx")
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	resize(t, master, Size{24, 80})
	return master, slave
}

func resize(t *testing.T, f *os.File, s Size) {
	t.Helper()
	_, err := control(f, func(fd uintptr) (struct{}, error) {
		return struct{}{}, unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(s.Rows), Col: uint16(s.Cols)})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// modeOf is the mode that a terminal is in.
func modeOf(t *testing.T, f *os.File) unix.Termios {
	t.Helper()
	m, err := control(f, getMode)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// isRaw tells whether a mode is raw, in what matters most.
func isRaw(m unix.Termios) bool {
	return m.Lflag&(unix.ICANON|unix.ECHO|unix.ISIG) == 0 && m.Oflag&unix.OPOST == 0 && m.Iflag&unix.ICRNL == 0
}
