//go:build cgo

package launch

// usesCgo says that this program has parts that are not Go's, as one built with -race has.
const usesCgo = true
