//go:build amd64 || arm64

package nofile

// rlimit is struct rlimit64 of linux/resource.h.
type rlimit struct{ soft, hard uint64 }

// getrlimit reads RLIMIT_NOFILE of this process: 0, or a negative error number.
//
//go:noescape
func getrlimit(l *rlimit) int

var original = func() (l rlimit) {
	if getrlimit(&l) != 0 {
		return rlimit{}
	}
	return l
}()

// Original is the limit as it was before package syscall changed it; ok is false where it could not be read.
func Original() (soft, hard uint64, ok bool) {
	return original.soft, original.hard, original.hard != 0
}
