package network

import (
	"log/slog"
	"net/netip"
	"os"

	"github.com/berthdev/berth/engine"
)

// Default is the name of the network that a container joins when it names none.
const Default = "bridge"

// Options of [Open].
type Options struct {
	// NoForwardCheck connects containers also where another firewall table drops forwarded packets.
	NoForwardCheck bool
	// Rootless: there are no bridges; Connect and Create are UnsupportedErrors.
	Rootless bool
	// Log receives what goes wrong where nobody waits for an answer (a name server's socket, a forwarded connection); nil is silence.
	Log *slog.Logger
}

// Request is a container that joins its networks.
type Request struct {
	ContainerID string
	Name        string // of the container, without slash
	Hostname    string
	Domainname  string
	PID         int // its first process: the network namespace is /proc/PID/ns/net
	// Namespace is the network namespace of a process that is not there yet, in place of PID. It stays the caller's, who
	// calls Session.Begun when the process is there.
	Namespace *os.File

	Endpoints []engine.Endpoint // empty: loopback alone
	Ports     []engine.PortMapping

	DNS        []netip.Addr // Spec.DNS; empty is the host's
	DNSOptions []string
	DNSSearch  []string
	ExtraHosts []string // name:address, host-gateway
	Links      []string // NAME[:ALIAS] of running containers in the same network
}

// Result is what a container got.
type Result struct {
	Networks map[string]engine.EndpointState // by the network's name
	Ports    []engine.PortBinding            // published ones, sorted
	// Gateway of the primary network; zero when it has none.
	Gateway     netip.Addr
	IPv6Gateway netip.Addr
	// Hosts and Resolv are the contents of /etc/hosts and /etc/resolv.conf. They are to be written in place: the files are bind mounted.
	Hosts  []byte
	Resolv []byte
}

// InUse tells which containers (running or not) refer to a network, by its name and ID; nil is none.
type InUse func(name, id string) []string
