package launch

import (
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/nofile"
)

// rlimits are the resource limits by their OCI names.
var rlimits = map[string]int{
	"RLIMIT_AS":         unix.RLIMIT_AS,
	"RLIMIT_CORE":       unix.RLIMIT_CORE,
	"RLIMIT_CPU":        unix.RLIMIT_CPU,
	"RLIMIT_DATA":       unix.RLIMIT_DATA,
	"RLIMIT_FSIZE":      unix.RLIMIT_FSIZE,
	"RLIMIT_LOCKS":      unix.RLIMIT_LOCKS,
	"RLIMIT_MEMLOCK":    unix.RLIMIT_MEMLOCK,
	"RLIMIT_MSGQUEUE":   unix.RLIMIT_MSGQUEUE,
	"RLIMIT_NICE":       unix.RLIMIT_NICE,
	"RLIMIT_NOFILE":     unix.RLIMIT_NOFILE,
	"RLIMIT_NPROC":      unix.RLIMIT_NPROC,
	"RLIMIT_RSS":        unix.RLIMIT_RSS,
	"RLIMIT_RTPRIO":     unix.RLIMIT_RTPRIO,
	"RLIMIT_RTTIME":     unix.RLIMIT_RTTIME,
	"RLIMIT_SIGPENDING": unix.RLIMIT_SIGPENDING,
	"RLIMIT_STACK":      unix.RLIMIT_STACK,
}

// limits sets the resource limits. What is not given is the parent's, and of open files
// what the parent was started with.
func (b *builder) limits(list []specs.POSIXRlimit) error {
	given := slices.ContainsFunc(list, func(l specs.POSIXRlimit) bool { return l.Type == "RLIMIT_NOFILE" })
	if soft, hard, ok := nofile.Original(); ok && !given {
		b.add("set RLIMIT_NOFILE", "prlimit64", num(0), num(unix.RLIMIT_NOFILE), b.words(soft, hard), num(0))
	}
	for _, l := range list {
		n, ok := rlimits[l.Type]
		if !ok {
			return invalid("process.rlimits", l.Type+" is no limit")
		}
		b.add("set "+l.Type, "prlimit64", num(0), num(n), b.words(l.Soft, l.Hard), num(0))
	}
	return nil
}

// personality sets the execution domain: uname says i686 with LINUX32.
func (b *builder) personality(p *specs.LinuxPersonality) error {
	if p == nil {
		return nil
	}
	domain, ok := map[specs.LinuxPersonalityDomain]int{specs.PerLinux: 0, specs.PerLinux32: 8}[p.Domain]
	if !ok || len(p.Flags) > 0 {
		return unsupported("linux.personality", string(p.Domain), "")
	}
	b.add("set the personality "+string(p.Domain), "personality", num(domain))
	return nil
}
