package podman

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
)

// version is a version of Podman, major.minor.patch, as major*1e6 + minor*1e3 + patch.
type version int

func (v version) String() string {
	return fmt.Sprintf("%d.%d.%d", v/1_000_000, v/1000%1000, v%1000)
}

// vRuncPersonality is the first runc that sets linux.personality; older ones pass over it.
const vRuncPersonality version = 1_002_000

// runcVersion is the version of the runc that the service runs containers with; ok is false when it is another runtime, or does not tell.
func (e *Engine) runcVersion() (v version, ok bool) {
	line, _, _ := strings.Cut(e.info.Host.OCIRuntime.Version, "\n")
	s, ok := strings.CutPrefix(line, "runc version ")
	if !ok {
		return 0, false
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' }); i >= 0 {
		s = s[:i]
	}
	v, err := parseVersion("runc", s)
	return v, err == nil
}

// parseVersion reads "5.8.2", "5.8", "v5.8.2" and "5.9.0-dev". A pre-release counts as its release: what it has and lacks cannot be told.
func parseVersion(option, s string) (version, error) {
	var v version
	number, _, _ := strings.Cut(strings.TrimPrefix(s, "v"), "-")
	parts := strings.Split(number, ".")
	for i := range 3 {
		n := uint64(0)
		if i < len(parts) {
			var err error
			if n, err = strconv.ParseUint(parts[i], 10, 16); err != nil || n > 999 {
				return 0, &engine.InvalidError{Option: option, Value: s, Reason: `not of the form "5.8.2"`}
			}
		}
		v = v*1000 + version(n)
	}
	if len(parts) < 2 || len(parts) > 3 {
		return 0, &engine.InvalidError{Option: option, Value: s, Reason: `not of the form "5.8.2"`}
	}
	return v, nil
}
