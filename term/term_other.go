//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd || windows)

package term

import (
	"errors"
	"os"
)

// mode is nothing here.
type mode = struct{}

func endSignals() []os.Signal { return nil }

func rawInput(m mode) mode { return m }

func rawOutput(m mode) mode { return m }

const separateModes = false

func getMode(uintptr) (mode, error) { return mode{}, errors.ErrUnsupported }

func setMode(uintptr, mode) error { return errors.ErrUnsupported }

func getSize(uintptr) (Size, error) { return Size{}, errors.ErrUnsupported }

func notifyResize() (changed <-chan struct{}, stop func()) { return nil, func() {} }
