//go:build !linux

package embedded

import (
	"context"
	"runtime"

	"github.com/berthdev/berth/engine"
)

// Open opens the engine, which exists on Linux only: here it is an
// [engine.UnsupportedError].
func Open(context.Context, ...Option) (engine.Engine, error) {
	return nil, &engine.UnsupportedError{
		Option: "engine", Value: name, Engine: name, Have: runtime.GOOS, Need: "linux",
		Reason: "containers are a feature of the Linux kernel",
	}
}
