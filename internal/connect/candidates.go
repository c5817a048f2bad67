package connect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berthdev/berth/internal/clientconfig"
)

// Candidates returns the places to try, in order. When the first is Explicit it
// is the only one. The list may be empty. An error means that a choice was made
// which cannot be followed: a malformed address, an unknown context or
// connection, an unreadable file that had to be read.
//
// The first of these that is there decides:
//
//  1. Options.Host, Options.Context
//  2. DOCKER_HOST, CONTAINER_HOST
//  3. DOCKER_CONTEXT, CONTAINER_CONNECTION
//  4. the current context of Docker's config.json
//  5. Podman's default connection
//  6. the well-known sockets, all of them
//
// That is: what was said to this program, then to this process, then to this
// user; and Docker's way of saying it before Podman's. (podman 4 has it that
// CONTAINER_HOST wins over CONTAINER_CONNECTION, podman 5 the reverse.)
//
// The context "default" is no context: it hides the current one, and the search
// goes on. For the engine "docker" or "podman" by name only that engine's
// steps are taken.
func Candidates(env Env, opt Options) ([]Candidate, []Note, error) {
	f := &finder{env: env, opt: opt}
	list, err := f.find()
	if err != nil {
		return nil, f.notes, err
	}
	version, err := f.apiVersion()
	if err != nil {
		return nil, f.notes, err
	}
	for i := range list {
		list[i].APIVersion = version
		if list[i].Engine == "" {
			list[i].Engine = f.engine
		}
	}
	return list, f.notes, nil
}

// finder is one search.
type finder struct {
	env    Env
	opt    Options
	engine string // "docker" or "podman" if one was asked for by name
	notes  []Note
}

func (f *finder) note(format string, args ...any) {
	f.notes = append(f.notes, Note{fmt.Sprintf(format, args...)})
}

// docker and podman tell whether that engine's settings count.
func (f *finder) docker() bool { return f.engine != "podman" }
func (f *finder) podman() bool { return f.engine != "docker" }

func (f *finder) find() ([]Candidate, error) {
	if f.opt.Host != "" {
		list, err := f.byHost()
		if list != nil || err != nil {
			return list, err
		}
	}
	for _, step := range []func() (Candidate, bool, error){
		f.optionContext, f.environmentHost, f.environmentName, f.currentContext, f.defaultConnection,
	} {
		c, found, err := step()
		if err != nil {
			return nil, err
		}
		if found {
			return []Candidate{c}, nil
		}
	}
	var list []Candidate
	for _, k := range wellKnown(f.env) {
		if f.engine != "" && f.engine != k.engine {
			continue
		}
		addr, err := ParseHost(k.host, f.env.GOOS)
		if err != nil {
			continue // a directory's name with a character no address has
		}
		source := "well-known socket"
		if addr.Scheme == SchemeNpipe {
			source = "well-known pipe"
		}
		list = append(list, candidate(addr, source))
	}
	return list, nil
}

// byHost follows Options.Host. It returns nothing for an engine's name that
// only restricts the search.
func (f *finder) byHost() ([]Candidate, error) {
	const source = "WithHost"
	if f.opt.Context != "" {
		return nil, fmt.Errorf("choose an engine: host %q and docker context %q are both given", maskPassword(f.opt.Host), f.opt.Context)
	}
	if slices.Contains(f.opt.Engines, f.opt.Host) {
		return []Candidate{{Source: source, Explicit: true, Engine: f.opt.Host}}, nil
	}
	addr, err := ParseHost(f.opt.Host, f.env.GOOS)
	if err != nil {
		return nil, err
	}
	if addr.Scheme != SchemeEngine {
		return []Candidate{f.explicit(addr, source)}, nil
	}
	if addr.Engine == "docker" || addr.Engine == "podman" {
		f.engine = addr.Engine
		return nil, nil
	}
	return []Candidate{{Source: source, Explicit: true, Engine: addr.Engine}}, nil
}

// explicit is the candidate of an address that was given, with the settings of
// the environment that go with it.
func (f *finder) explicit(addr Address, source string) Candidate {
	c := candidate(addr, source)
	c.Explicit = true
	if source != "CONTAINER_HOST" {
		var notes []Note
		c.TLS, notes = dockerTLS(f.env, addr)
		f.notes = append(f.notes, notes...)
	}
	if source != "DOCKER_HOST" && addr.Scheme == SchemeSSH {
		c.Identity = f.env.Var("CONTAINER_SSHKEY")
	}
	return c
}

// optionContext follows Options.Context.
func (f *finder) optionContext() (c Candidate, found bool, err error) {
	if f.opt.Context == "" || f.opt.Context == "default" {
		return c, false, nil
	}
	c, err = fromContext(f.env, f.opt.Context, "")
	return c, err == nil, err
}

// environmentHost follows DOCKER_HOST, else CONTAINER_HOST.
func (f *finder) environmentHost() (c Candidate, found bool, err error) {
	for _, key := range []string{"DOCKER_HOST", "CONTAINER_HOST"} {
		docker := key == "DOCKER_HOST"
		host := f.env.Var(key)
		if host == "" || docker && !f.docker() || !docker && !f.podman() {
			continue
		}
		addr, err := ParseHost(host, f.env.GOOS)
		if err == nil && addr.Scheme == SchemeEngine {
			err = &AddressError{Address: host, Reason: "the name of an engine is not an address"}
		}
		if err != nil {
			return c, false, fmt.Errorf("read %s: %w", key, err)
		}
		f.noteHidden(key, addr)
		return f.explicit(addr, key), true, nil
	}
	return c, false, nil
}

// noteHidden notes what else the environment says that key overrides.
func (f *finder) noteHidden(key string, addr Address) {
	if host := f.env.Var("CONTAINER_HOST"); key == "DOCKER_HOST" && host != "" && f.podman() {
		if other, err := ParseHost(host, f.env.GOOS); err != nil || other != addr {
			f.note("DOCKER_HOST (%s) and CONTAINER_HOST (%s) are both set: DOCKER_HOST is used", addr, maskPassword(host))
		}
	}
	if name := f.env.Var("DOCKER_CONTEXT"); name != "" && name != "default" && f.docker() {
		f.note("%s (%s) overrides DOCKER_CONTEXT (%s)", key, addr, name)
	}
	if name := f.env.Var("CONTAINER_CONNECTION"); name != "" && f.podman() {
		f.note("%s (%s) overrides CONTAINER_CONNECTION (%s)", key, addr, name)
	}
}

// environmentName follows DOCKER_CONTEXT, else CONTAINER_CONNECTION.
func (f *finder) environmentName() (c Candidate, found bool, err error) {
	context, conn := f.env.Var("DOCKER_CONTEXT"), f.env.Var("CONTAINER_CONNECTION")
	if context != "" && context != "default" && f.docker() && f.opt.Context == "" {
		if conn != "" && f.podman() {
			f.note("DOCKER_CONTEXT (%s) and CONTAINER_CONNECTION (%s) are both set: DOCKER_CONTEXT is used", context, conn)
		}
		c, err = fromContext(f.env, context, "DOCKER_CONTEXT")
		return c, err == nil, err
	}
	if conn != "" && f.podman() {
		return f.connection(conn, "CONTAINER_CONNECTION")
	}
	return c, false, nil
}

// currentContext follows config.json. A corrupt file is an error: it may hold a
// choice, and to go elsewhere would be to guess.
func (f *finder) currentContext() (c Candidate, found bool, err error) {
	if !f.docker() || f.opt.Context != "" || f.env.Var("DOCKER_CONTEXT") != "" {
		return c, false, nil
	}
	cfg := clientconfig.Load(f.env)
	name, err := cfg.CurrentContext()
	if err == nil && cfg.Err() != nil {
		f.note("%v: left out", cfg.Err())
	}
	if err != nil || name == "" || name == "default" {
		return c, false, err
	}
	c, err = fromContext(f.env, name, "")
	return c, err == nil, err
}

// defaultConnection follows Podman's default.
func (f *finder) defaultConnection() (c Candidate, found bool, err error) {
	if !f.podman() {
		return c, false, nil
	}
	return f.connection("", "")
}

// connection is a connection of Podman's by name, "" for the default.
func (f *finder) connection(name, how string) (c Candidate, found bool, err error) {
	all, err := readConnections(f.env)
	if err != nil {
		return c, false, err
	}
	f.notes = append(f.notes, all.notes...)
	return all.candidate(f.env, name, how)
}

// apiVersion is the version that was asked for, without the "v" that docker
// allows before it.
func (f *finder) apiVersion() (string, error) {
	version, source := f.opt.APIVersion, "API version"
	if version == "" {
		version, source = f.env.Var("DOCKER_API_VERSION"), "DOCKER_API_VERSION"
	}
	if version == "" {
		return "", nil
	}
	v := strings.TrimPrefix(version, "v")
	major, minor, ok := strings.Cut(v, ".")
	if !ok || !decimal(major) || !decimal(minor) {
		return "", fmt.Errorf("read %s: %q is not of the form 1.41", source, version)
	}
	return v, nil
}

// decimal tells whether s is one to four digits.
func decimal(s string) bool {
	return len(s) > 0 && len(s) <= 4 && strings.Trim(s, "0123456789") == ""
}
