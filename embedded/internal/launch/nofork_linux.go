//go:build berth_nofork

package launch

// canFork: see fork_linux.go.
const canFork = false

func forkAndRun(m *machine, flags uintptr, cgroupFD int, k kernel) (forked, error) {
	panic("launch: built without fork")
}

func forkSparing(m *machine, spare []span, cgroupFD int) (pid, pidfd int, err error) {
	panic("launch: built without fork")
}
