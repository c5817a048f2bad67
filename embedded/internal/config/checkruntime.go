//go:build linux

package config

import "github.com/berthdev/berth/engine"

// checkRuntime refuses what the engine's own start path can do and an installed OCI
// runtime cannot, or passes over without a word.
func checkRuntime(f *faults, s *engine.Spec) {
	if s.Runtime == "" || s.Runtime == builtin {
		return
	}
	const users = "the state directory is closed to the users of a user namespace: only the built-in runtime gets around that"
	f.unsupported(s.UsernsMode != "" && s.UsernsMode != "host", "Spec.UsernsMode", s.UsernsMode, users)
	if p := s.Podman; p != nil {
		f.unsupported(p.IDMappings != nil, "Spec.Podman.IDMappings", "", users)
		f.unsupported(p.Personality != "", "Spec.Podman.Personality", p.Personality, "runc before 1.2 passes over it: only the built-in runtime has it")
	}
}

// builtin is the engine's own start path, as Spec.Runtime.
const builtin = "berth"
