//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd || windows)

package term

import (
	"errors"
	"os"
)

// mode is nothing here.
type mode = struct{}

var endSignals = []os.Signal{os.Interrupt}

var (
	rawInput  func(mode) mode
	rawOutput func(mode) mode
)

func getMode(uintptr) (mode, error) { return mode{}, errors.ErrUnsupported }

func setMode(uintptr, mode) error { return errors.ErrUnsupported }

func getSize(uintptr) (Size, error) { return Size{}, errors.ErrUnsupported }

func notifyResize() (changed <-chan struct{}, stop func()) { return nil, func() {} }
