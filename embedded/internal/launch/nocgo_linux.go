//go:build !cgo

package launch

// usesCgo: see cgo_linux.go.
const usesCgo = false
