package term

import (
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// mode is a console mode.
type mode = uint32

// endSignals are the signals that end a program and that can be caught.
func endSignals() []os.Signal { return []os.Signal{os.Interrupt} }

// pollInterval is how often the console's size is looked at: only a reader of
// the console's input events is told of changes, and the input is the
// container's.
const pollInterval = 250 * time.Millisecond

func getMode(fd uintptr) (mode, error) {
	var m mode
	err := windows.GetConsoleMode(windows.Handle(fd), &m)
	return m, err
}

func setMode(fd uintptr, m mode) error { return windows.SetConsoleMode(windows.Handle(fd), m) }

// rawInput passes keys on as escape sequences.
func rawInput(m mode) mode {
	m &^= windows.ENABLE_ECHO_INPUT | windows.ENABLE_PROCESSED_INPUT | windows.ENABLE_LINE_INPUT
	return m | windows.ENABLE_VIRTUAL_TERMINAL_INPUT
}

// rawOutput understands escape sequences and does not break lines by itself.
func rawOutput(m mode) mode {
	return m | windows.ENABLE_PROCESSED_OUTPUT | windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING | windows.DISABLE_NEWLINE_AUTO_RETURN
}

// separateModes tells whether input and output have a mode each.
const separateModes = true

func getSize(fd uintptr) (Size, error) {
	var info windows.ConsoleScreenBufferInfo
	if err := windows.GetConsoleScreenBufferInfo(windows.Handle(fd), &info); err != nil {
		return Size{}, err
	}
	return Size{
		Rows: int(info.Window.Bottom-info.Window.Top) + 1,
		Cols: int(info.Window.Right-info.Window.Left) + 1,
	}, nil
}

// notifyResize tells when to look again.
func notifyResize() (changed <-chan time.Time, stop func()) {
	t := time.NewTicker(pollInterval)
	return t.C, t.Stop
}
