package connect

import (
	"github.com/berthdev/berth/internal/clientconfig"
)

// Env is the process's surroundings; see clientconfig.Env.
type Env = clientconfig.Env

// OSEnv is the Env of this process.
func OSEnv() Env { return clientconfig.OSEnv() }

// Candidate is one place where an engine may be, ready to be tried.
type Candidate struct {
	// Host is the canonical address: unix:///p, tcp://h:p, http://h:p,
	// https://h:p, npipe:////./pipe/x, ssh://u@h:p/path. It is "" for an
	// engine that is linked in and named by Engine.
	Host string
	// Addr is Host, parsed.
	Addr Address
	// Source says how it was found, for people: "WithHost", "DOCKER_HOST",
	// `docker context "x"`, `podman connection "y"`, "well-known socket".
	Source string
	// Explicit marks a choice that somebody made. It is then the only
	// candidate, and failing it fails New.
	Explicit bool
	// Engine is the engine that was asked for by name: "docker" and "podman"
	// must be what answers at Host; another name is a registered engine (Host
	// is ""). "" takes whatever answers.
	Engine string
	// TLS is nil when the connection is not to be encrypted, or, for https, to
	// be with the system's roots.
	TLS *TLSFiles
	// Identity is the ssh identity file, "" to leave it to ssh.
	Identity string
	// Machine marks an ssh address that is a virtual machine of Podman's on
	// this host, whose host key nobody has recorded: podman does not check it.
	Machine bool
	// APIVersion is the Docker API version to speak, "1.41", "" to negotiate.
	APIVersion string
}

// Note is something worth logging about how the candidates were found.
type Note struct {
	Message string
}

func (n Note) String() string { return n.Message }

// Options are the caller's own wishes; the zero value has none.
type Options struct {
	// Host is an address or an engine's name, as ParseHost takes. The name
	// "docker" or "podman" restricts the search to what concerns that engine;
	// any other is the only candidate.
	Host string
	// Context is the name of a Docker context. "default" means none.
	Context string
	// Engines are names of registered engines that Host may give, besides
	// those that ParseHost knows.
	Engines []string
	// APIVersion is used instead of DOCKER_API_VERSION.
	APIVersion string
}

// candidate is a Candidate at an address.
func candidate(addr Address, source string) Candidate {
	return Candidate{Host: addr.String(), Addr: addr, Source: source}
}
