//go:build !linux

package reexec

// Register does nothing: roles exist on Linux only.
func Register(name string, f func()) {}
