//go:build linux

package config

import (
	"context"
	"errors"
	"io/fs"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

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

// tmpfsModes refuses the mode of a tmpfs that a runtime would ignore, as far as it is known: runc
// before 1.2 gives it that of the image's directory. Its version is not asked for.
func (b *builder) tmpfsModes() error {
	if b.s.Runtime == "" || b.s.Runtime == builtin {
		return nil
	}
	l := layers{dirs: b.in.LayerDirs}
	return normal.CheckTmpfsModes(context.Background(), "embedded", normal.Runtime{Name: b.s.Runtime}, b.s, func(_ context.Context, p string) (engine.PathStat, error) {
		f, err := l.lookup(p, true)
		if errors.Is(err, fs.ErrNotExist) {
			err = engine.ErrNotFound
		}
		if err != nil {
			return engine.PathStat{}, err
		}
		return engine.PathStat{Mode: f.info.Mode()}, nil
	})
}
