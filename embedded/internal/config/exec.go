//go:build linux

package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/launch"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// ExecProcess is a further process in a running container, as docker exec makes it: with the container's environment, limits,
// groups and restrictions, and the container's user if it names none. root is the container's root file system as
// this process sees it, "/proc/PID/root", where users are looked up. oci is the container's config.json.
func ExecProcess(cfg *state.Config, oci *specs.Spec, root string, spec engine.ExecSpec) (*specs.Process, error) {
	switch {
	case len(spec.Cmd) == 0 || spec.Cmd[0] == "":
		return nil, invalid("ExecSpec.Cmd", "", "a command is needed")
	case spec.WorkingDir != "" && !strings.HasPrefix(spec.WorkingDir, "/"):
		return nil, invalid("ExecSpec.WorkingDir", spec.WorkingDir, "it is not an absolute path")
	}
	p := *oci.Process
	p.Args = slices.Clone(spec.Cmd)
	p.Terminal, p.ConsoleSize = spec.TTY, nil
	if spec.WorkingDir != "" {
		p.Cwd = spec.WorkingDir
	}
	id, err := execUser(cfg, root, spec)
	if err != nil {
		return nil, err
	}
	if err := haveIDs(cfg, "ExecSpec.User", id); err != nil {
		return nil, err
	}
	setUser(&p, id)
	if spec.Privileged {
		all, err := launch.Available()
		if err != nil {
			return nil, err
		}
		p.Capabilities = capabilitySets(all, id.user.UID)
	}
	if p.Env, err = execEnv(cfg, oci, spec); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(p.Env, func(e string) bool { return strings.HasPrefix(e, "HOME=") }) {
		p.Env = append(p.Env, "HOME="+id.home)
	}
	return &p, nil
}

// execUser looks up the user in the running container.
func execUser(cfg *state.Config, dir string, spec engine.ExecSpec) (identity, error) {
	user := spec.User
	if user == "" {
		user = userOf(cfg)
	}
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return identity{}, &engine.APIError{Engine: engineName, Op: "exec in container", Object: cfg.Name, Kind: engine.ErrNotRunning,
			Message: fmt.Sprintf("open its root: %v", err)}
	}
	defer unix.Close(fd)
	id, err := lookupUser(user, cfg.Spec.GroupAdd, root{fd})
	for _, g := range cfg.CDIGroups {
		id.user.AdditionalGids = appendID(id.user.AdditionalGids, g)
	}
	return id, err
}

// execEnv is the container's environment, changed by the exec's. TERM is the terminal's.
func execEnv(cfg *state.Config, oci *specs.Spec, spec engine.ExecSpec) ([]string, error) {
	env := slices.Clone(oci.Process.Env)
	if !givesHome(cfg) {
		env = unsetEnv(env, []string{"HOME"}) // a start's: that of the container's user
	}
	const term = "TERM=xterm"
	own := cfg.Spec.Env["TERM"] != "" || getEnv(cfg.ImageConfig.Env, "TERM") != ""
	switch {
	case spec.TTY && !oci.Process.Terminal && getEnv(env, "TERM") == "":
		env = append(env, term)
	case !spec.TTY && oci.Process.Terminal && !own:
		env = unsetEnv(env, []string{"TERM"})
	}
	if oci.Root != nil {
		var err error
		if env, err = withSecrets(env, cfg, filepath.Dir(oci.Root.Path)); err != nil {
			return nil, err
		}
	}
	for i, k := range sortedKeys(spec.Env) {
		if k == "" || strings.ContainsAny(k, "=\x00") || strings.Contains(spec.Env[k], "\x00") {
			return nil, invalid(at("ExecSpec.Env", i), k, "no variable can have that name or value")
		}
		env = setEnv(env, k+"="+spec.Env[k])
	}
	return unsetEnv(env, spec.UnsetEnv), nil
}

// givesHome says that HOME is not the user's entry's, but what image, Spec or a device say.
func givesHome(cfg *state.Config) bool {
	_, own := cfg.Spec.Env["HOME"]
	_, secret := cfg.Spec.SecretEnv["HOME"]
	isHome := func(e string) bool { return strings.HasPrefix(e, "HOME=") }
	_, raw := cfg.Spec.Raw[engineName]
	host := cfg.Spec.Podman != nil && (cfg.Spec.Podman.EnvHost || len(cfg.Spec.Podman.EnvMerge) > 0)
	return own || secret || raw || host || slices.ContainsFunc(cfg.ImageConfig.Env, isHome) || slices.ContainsFunc(cfg.CDIEnv, isHome)
}
