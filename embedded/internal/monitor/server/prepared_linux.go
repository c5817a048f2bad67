package server

import (
	"sync"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/seccomp"
)

// prepared is what all execs of a run have in common, and the first one makes.
type prepared struct {
	row
	compiling sync.Mutex
	compiled  []seccomp.Instruction
}

// filter is the container's seccomp profile, compiled; nil without one.
func (p *prepared) filter(profile *specs.LinuxSeccomp) ([]seccomp.Instruction, error) {
	if profile == nil {
		return nil, nil
	}
	p.compiling.Lock()
	defer p.compiling.Unlock()
	if p.compiled == nil {
		var err error
		if p.compiled, err = seccomp.Compile(profile); err != nil {
			return nil, err
		}
	}
	return p.compiled, nil
}
