package connect

import (
	"slices"
	"strconv"
	"strings"
)

// known is a place where an engine usually listens.
type known struct {
	engine string // "docker" or "podman": whose place it is, not who answers
	host   string
}

// wellKnown lists the places in the order in which they are tried: Docker's
// before Podman's, and within Podman the user's own before the system's, which
// is closed to users. Root comes to the system's engines first.
func wellKnown(env Env) []known {
	var l []known
	add := func(engine string, path string) {
		if !strings.HasPrefix(path, "/") {
			return // an unknown or relative directory
		}
		k := known{engine, SchemeUnix + "://" + path}
		if !slices.Contains(l, k) && len(path) <= maxSocketPath(env.GOOS) {
			l = append(l, k)
		}
	}
	if env.GOOS == "windows" {
		return []known{
			{"docker", "npipe:////./pipe/docker_engine"},
			{"docker", "npipe:////./pipe/dockerDesktopLinuxEngine"},
			{"podman", "npipe:////./pipe/podman-machine-default"},
		}
	}
	add("docker", defaultSocket)
	if env.UID == 0 {
		add("podman", "/run/podman/podman.sock")
	}
	for _, path := range dockerSockets(env) {
		add("docker", path)
	}
	for _, path := range podmanSockets(env) {
		add("podman", path)
	}
	return l
}

// under joins elements to a directory that may be unknown.
func under(env Env, dir string, elem ...string) string {
	if dir == "" {
		return ""
	}
	return env.Join(append([]string{dir}, elem...)...)
}

// dockerSockets are Docker's sockets other than the system's; an unknown one is
// "".
func dockerSockets(env Env) []string {
	l := []string{
		under(env, env.Var("XDG_RUNTIME_DIR"), "docker.sock"), // rootless
		userRun(env, "docker.sock"),
		env.InHome(".docker", "run", "docker.sock"), // Desktop, rootless
	}
	switch env.GOOS {
	case "darwin":
		l = append(l, env.InHome(".orbstack", "run", "docker.sock"))
	default:
		l = append(l, env.InHome(".docker", "desktop", "docker.sock"))
	}
	return append(l,
		under(env, env.Var("COLIMA_HOME"), "default", "docker.sock"),
		env.InHome(".colima", "default", "docker.sock"),
		under(env, env.Var("XDG_CONFIG_HOME"), "colima", "default", "docker.sock"),
		env.InHome(".rd", "docker.sock"), // Rancher Desktop
	)
}

// podmanSockets are Podman's sockets; an unknown one is "".
func podmanSockets(env Env) []string {
	l := []string{
		under(env, env.Var("XDG_RUNTIME_DIR"), "podman", "podman.sock"), // rootless
		userRun(env, "podman", "podman.sock"),
	}
	if env.GOOS != "darwin" {
		return append(l, "/run/podman/podman.sock")
	}
	l = append(l, under(env, env.Var("TMPDIR"), "podman", "podman-machine-default-api.sock"))
	machines := env.InHome(".local", "share", "containers", "podman", "machine")
	l = append(l, under(env, machines, "podman.sock"))
	if entries, err := env.List(machines); machines != "" && err == nil {
		for _, e := range entries {
			if e.IsDir() {
				l = append(l, env.Join(machines, e.Name(), "podman.sock"))
			}
		}
	}
	return l
}

// userRun is a path in /run/user/UID, where Linux has it.
func userRun(env Env, elem ...string) string {
	if env.GOOS != "linux" || env.UID <= 0 {
		return ""
	}
	return under(env, "/run/user/"+strconv.Itoa(env.UID), elem...)
}
