package normal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
)

// maxLinks is how many symbolic links Linux follows.
const maxLinks = 40

// runcVersion finds the version in "runc version 1.1.5+ds1", "v1.1.12-0-g51d5e946" or "1.3.6+ds1-1", but not in a commit's hash.
// (By hand: regular expressions weigh 80 KB in every program.)
func runcVersion(text string) (major, minor int, ok bool) {
	for word := range strings.FieldsSeq(text) {
		first, rest, found := strings.Cut(strings.TrimPrefix(word, "v"), ".")
		if !found {
			continue
		}
		second := rest
		if end := strings.IndexAny(rest, ".+-~"); end >= 0 {
			second = rest[:end]
		}
		a, err1 := strconv.ParseUint(first, 10, 31)
		b, err2 := strconv.ParseUint(second, 10, 31)
		if err1 == nil && err2 == nil {
			return int(a), int(b), true
		}
	}
	return 0, 0, false
}

// Runtime is the OCI runtime of a container: its name or path, and its version where that is known.
type Runtime struct{ Name, Version string }

// takesTmpfsMode tells that the runtime gives a tmpfs the mode that is asked for where the image has the directory, too. runc before 1.2 gives it that directory's.
func (r Runtime) takesTmpfsMode() bool {
	switch path.Base(r.Name) {
	case "crun":
		return true
	case "runc", "io.containerd.runc.v2":
		major, minor, ok := runcVersion(r.Version)
		return ok && (major > 1 || major == 1 && minor >= 2)
	}
	return false
}

func (r Runtime) String() string {
	version, _, _ := strings.Cut(strings.TrimPrefix(r.Version, path.Base(r.Name)+" version "), "\n")
	return strings.TrimSpace(path.Base(r.Name) + " " + version)
}

// CheckTmpfsModes is an UnsupportedError if the runtime, as far as it is known, would ignore the mode that spec sets for a tmpfs, because the image has the directory with another one. stat describes a path of the container,
// which was not started yet.
func CheckTmpfsModes(ctx context.Context, name string, runtime Runtime, spec *engine.Spec, stat func(ctx context.Context, path string) (engine.PathStat, error)) error {
	if runtime.takesTmpfsMode() {
		return nil
	}
	var errs []error
	for i, m := range spec.Mounts {
		option, mode, set := tmpfsMode(m)
		if !set || covered(spec.Mounts, path.Clean(m.Target)) {
			continue
		}
		st, err := statTarget(ctx, m.Target, stat)
		if errors.Is(err, engine.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if have := chmodBits(st.Mode); have != mode {
			errs = append(errs, &engine.UnsupportedError{
				Option: fmt.Sprintf("Spec.Mounts[%d].%s", i, option), Value: fmt.Sprintf("%#o", mode), Engine: name, Have: "with " + runtime.String(), Need: "runc 1.2 or crun",
				Reason: fmt.Sprintf("the image has %s with the mode %#o, which the tmpfs would get", m.Target, have),
			})
		}
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// tmpfsMode is the mode that is set for a tmpfs, and by which field of m.
func tmpfsMode(m engine.Mount) (option string, mode uint32, set bool) {
	if m.Type != engine.MountTmpfs {
		return "", 0, false
	}
	for _, o := range slices.Backward(m.Options) { // the last one holds
		if text, ok := strings.CutPrefix(o, "mode="); ok {
			n, err := strconv.ParseUint(text, 8, 32)
			return "Options", uint32(n), err == nil // the engine refuses what is no number
		}
	}
	if m.Mode != nil {
		return "Mode", uint32(*m.Mode), true
	}
	return "", 0, false
}

// covered tells that the image's directory is not what is mounted on: there is another mount above it, empty or the runtime's own.
func covered(mounts []engine.Mount, target string) bool {
	for _, above := range []string{"/dev", "/proc", "/sys"} {
		if strings.HasPrefix(target, above+"/") || target == above {
			return true
		}
	}
	return slices.ContainsFunc(mounts, func(m engine.Mount) bool {
		return m.Type == engine.MountTmpfs && strings.HasPrefix(target, strings.TrimSuffix(path.Clean(m.Target), "/")+"/")
	})
}

// statTarget is stat, through symbolic links.
func statTarget(ctx context.Context, target string, stat func(ctx context.Context, path string) (engine.PathStat, error)) (engine.PathStat, error) {
	for range maxLinks {
		st, err := stat(ctx, target)
		if err != nil || st.Mode&fs.ModeSymlink == 0 || st.LinkTarget == "" {
			return st, err
		}
		if !path.IsAbs(st.LinkTarget) {
			st.LinkTarget = path.Join(path.Dir(target), st.LinkTarget)
		}
		target = st.LinkTarget
	}
	return engine.PathStat{}, fmt.Errorf("too many symbolic links at %s", target)
}

// chmodBits are those of chmod(2).
func chmodBits(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	for bit, mode := range map[uint32]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if m&mode != 0 {
			bits |= bit
		}
	}
	return bits
}
