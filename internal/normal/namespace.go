package normal

import (
	"strings"

	"github.com/berthdev/berth/engine"
)

// NS is a namespace mode: what stands before the first colon, and what follows it.
type NS struct{ Mode, Value string }

// Namespace splits a mode such as "container:db", "ns:/run/netns/x" or
// "keep-id:uid=1,gid=1" at its first colon. The empty mode is the zero NS. option names the
// option in the InvalidError ("Spec.PIDMode").
func Namespace(option, mode string) (NS, error) {
	name, value, has := strings.Cut(mode, ":")
	bad := func(reason string) (NS, error) {
		return NS{}, &engine.InvalidError{Option: option, Value: mode, Reason: reason}
	}
	switch {
	case mode == "":
		return NS{}, nil
	case name == "", has && value == "":
		return bad("a side of the colon is empty")
	case name == "container" && !has:
		return bad("want container:NAME")
	case name == "ns" && !strings.HasPrefix(value, "/"):
		return bad("want ns:PATH with an absolute path")
	case has && (name == "host" || name == "private" || name == "none" || name == "bridge"):
		return bad(name + " takes nothing after a colon")
	}
	return NS{name, value}, nil
}

// NetMode is Spec.NetworkMode, read.
type NetMode struct {
	// Mode is "", default, bridge, host, none, private, pod, container, ns, pasta, slirp4netns, or network.
	Mode string
	// Value is the container (container), the path (ns), or the network's name (network).
	Value string
	// Options of pasta and slirp4netns.
	Options []string
}

// NetworkMode reads Spec.NetworkMode. What is no known mode is a network's name.
func NetworkMode(s string) (NetMode, error) {
	ns, err := Namespace("Spec.NetworkMode", s)
	if err != nil {
		return NetMode{}, err
	}
	switch ns.Mode {
	case "container", "ns":
		return NetMode{Mode: ns.Mode, Value: ns.Value}, nil
	case "pasta", "slirp4netns":
		m := NetMode{Mode: ns.Mode}
		if ns.Value != "" {
			m.Options = strings.Split(ns.Value, ",")
		}
		return m, nil
	}
	if ns.Value != "" {
		return NetMode{}, &engine.InvalidError{Option: "Spec.NetworkMode", Value: s, Reason: "a network takes no options here: see Spec.Networks"}
	}
	switch ns.Mode {
	case "", "default", "bridge", "host", "none", "private", "pod":
		return NetMode{Mode: ns.Mode}, nil
	}
	return NetMode{Mode: "network", Value: ns.Mode}, nil
}
