//go:build linux

package config

import (
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// defaultPath is Docker's PATH.
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func itoa(n int) string { return strconv.Itoa(n) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// command merges the image's ENTRYPOINT and CMD with the Spec's: an entrypoint of the Spec's takes the image's CMD away, too.
func command(s *engine.Spec, image engine.ImageConfig) ([]string, error) {
	entrypoint, cmd := s.Entrypoint, s.Command
	if cmd == nil && entrypoint == nil {
		cmd = image.Cmd
	}
	if entrypoint == nil {
		entrypoint = image.Entrypoint
	}
	args := slices.Concat(entrypoint, cmd)
	switch {
	case len(args) == 0:
		return nil, invalid("Spec.Command", "", "neither it nor the image says what to run")
	case args[0] == "":
		return nil, invalid("Spec.Command", "", "the command is empty")
	}
	return args, nil
}

// environment is the process's, in Docker's order: PATH, HOSTNAME and TERM, which image and Spec may replace and remove, then
// the image's, then the Spec's by name.
func environment(s *engine.Spec, image engine.ImageConfig, hostname string) []string {
	env := []string{defaultPath, "HOSTNAME=" + hostname}
	if s.TTY {
		env = append(env, "TERM=xterm")
	}
	own := image.Env
	if p := s.Podman; p != nil {
		if p.UnsetEnvAll {
			own = nil
		}
		if p.EnvHost {
			env = setEnv(env, os.Environ()...)
		}
	}
	env = setEnv(env, own...)
	if p := s.Podman; p != nil {
		for _, e := range p.EnvMerge {
			name, value, _ := strings.Cut(e, "=")
			env = setEnv(env, name+"="+os.Expand(value, func(n string) string { return getEnv(env, n) }))
		}
	}
	for _, name := range sortedKeys(s.Env) {
		env = setEnv(env, name+"="+s.Env[name])
	}
	return unsetEnv(env, s.UnsetEnv)
}

// setEnv replaces variables where they are, and appends the others.
func setEnv(env []string, list ...string) []string {
	for _, e := range list {
		name, _, ok := strings.Cut(e, "=")
		if name == "" || !ok {
			continue
		}
		if i := slices.IndexFunc(env, func(x string) bool { return strings.HasPrefix(x, name+"=") }); i >= 0 {
			env[i] = e
		} else {
			env = append(env, e)
		}
	}
	return env
}

func unsetEnv(env, names []string) []string {
	return slices.DeleteFunc(env, func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return slices.Contains(names, name)
	})
}

func getEnv(env []string, name string) string {
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

// process sets what runs, as whom, and its limits. Names of users are resolved at each start.
func (b *builder) process() error {
	s, img, p := b.s, b.cfg.ImageConfig, b.oci.Process
	args, err := command(s, img)
	if err != nil {
		return err
	}
	b.cfg.Path, b.cfg.Args = args[0], args[1:]
	p.Args = args
	p.Env = environment(s, img, b.hostname)
	p.Terminal = s.TTY
	p.Cwd = workingDir(s, img)
	p.OOMScoreAdj = s.OOMScoreAdj
	p.Rlimits = rlimits(s.Ulimits)
	if s.Umask != "" {
		n, err := strconv.ParseUint(s.Umask, 8, 12)
		if err != nil {
			return invalid("Spec.Umask", s.Umask, "want octal digits up to 0777")
		}
		p.User.Umask = new(uint32(n))
	}
	p.Capabilities = &specs.LinuxCapabilities{Bounding: bounding(s, b.h)}
	// What the image says of users now; StartSpec looks again, and tells when there is no such user.
	if id, err := b.imageUser(); err == nil {
		setUser(p, id)
		if b.in.Image != nil {
			b.cfg.Account = id.account()
		}
	} else {
		p.Capabilities = capabilitySets(p.Capabilities.Bounding, math.MaxUint32)
	}
	if per := s.Podman; per != nil && per.Personality != "" {
		b.oci.Linux.Personality = &specs.LinuxPersonality{Domain: specs.LinuxPersonalityDomain(strings.ToUpper(per.Personality))}
	}
	return nil
}

// setUser makes the process id's. The umask stays.
func setUser(p *specs.Process, id identity) {
	umask := p.User.Umask
	p.User = id.user
	p.User.Umask = umask
	if groupsDenied() {
		p.User.AdditionalGids = nil // of the image's: there is no ID for them
	}
	if p.Capabilities != nil {
		p.Capabilities = capabilitySets(p.Capabilities.Bounding, id.user.UID)
	}
}

// userOf is USER[:GROUP] of the Spec, else of the image.
func userOf(cfg *state.Config) string {
	if cfg.Spec.User != "" {
		return cfg.Spec.User
	}
	return cfg.ImageConfig.User
}

func workingDir(s *engine.Spec, image engine.ImageConfig) string {
	switch {
	case s.WorkingDir != "":
		return s.WorkingDir
	case strings.HasPrefix(image.WorkingDir, "/"):
		return image.WorkingDir
	}
	return "/" + image.WorkingDir
}

// rlimitNames are the limits that Linux has (getrlimit(2)).
var rlimitNames = []string{
	"as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
}

// rlimitName is a limit's name in OCI's terms.
func rlimitName(name string) (string, bool) {
	name = strings.TrimPrefix(strings.ToLower(name), "rlimit_")
	return "RLIMIT_" + strings.ToUpper(name), slices.Contains(rlimitNames, name)
}

// rlimits are limits in OCI's terms; what is not given, launch takes from the program's own start.
func rlimits(list []engine.Ulimit) []specs.POSIXRlimit {
	var out []specs.POSIXRlimit
	for _, u := range list {
		name, _ := rlimitName(u.Name)
		out = append(out, specs.POSIXRlimit{Type: name, Soft: uint64(u.Soft), Hard: uint64(u.Hard)})
	}
	return out
}
