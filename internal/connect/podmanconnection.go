package connect

import (
	"encoding/json"
	"fmt"
	"strings"
)

// readConnections gathers Podman's connections: podman-connections.json (of
// PODMAN_CONNECTIONS_CONF, else beside the user's containers.conf) wins over
// containers.conf, for the default and for each name.
func readConnections(env Env) (*connections, error) {
	c := &connections{byName: make(map[string]connection)}
	if err := c.readContainersConf(env); err != nil {
		return nil, err
	}
	file := env.Var("PODMAN_CONNECTIONS_CONF")
	if file == "" {
		dir := env.ContainersDir()
		if dir == "" {
			return c, nil
		}
		file = env.Join(dir, "podman-connections.json")
	}
	data, ok, err := c.read(env, file, false)
	if err != nil {
		return nil, fmt.Errorf("read podman connections: %w", err)
	}
	if !ok || len(data) == 0 {
		return c, nil
	}
	var recorded struct {
		Connection struct {
			Default     string
			Connections map[string]connection
		}
	}
	if err := json.Unmarshal(data, &recorded); err != nil {
		return nil, fmt.Errorf("parse podman connections %s: %w", file, err)
	}
	if s := recorded.Connection.Default; s != "" {
		c.active = s
	}
	for name, d := range recorded.Connection.Connections {
		d.file = file
		c.byName[name] = d
	}
	return c, nil
}

// candidate is the one of a name; "" is the default connection, found == false
// when there is none. An unknown name is an error that tells where it was
// looked for.
func (c *connections) candidate(env Env, name, how string) (cand Candidate, found bool, err error) {
	if name == "" {
		name = c.active
	}
	source := fmt.Sprintf("podman connection %q", name)
	if name == "" {
		source = "podman's remote_uri"
	} else if how != "" {
		source += " (" + how + ")"
	}
	d, ok := c.byName[name]
	if !ok {
		if name == "" {
			return Candidate{}, false, nil
		}
		return Candidate{}, false, fmt.Errorf("find %s: no such connection in %s", source, strings.Join(c.looked, ", "))
	}
	if d.URI == "" {
		return Candidate{}, false, fmt.Errorf("find %s: it has no uri in %s", source, d.file)
	}
	addr, err := ParseHost(d.URI, env.GOOS)
	if err == nil && addr.Scheme == SchemeEngine {
		err = &AddressError{Address: d.URI, Reason: "not an address"}
	}
	if err != nil {
		return Candidate{}, false, fmt.Errorf("find %s: %s: %w", source, d.file, err)
	}
	cand = candidate(addr, source)
	cand.Explicit = true
	if addr.Scheme == SchemeSSH {
		cand.Identity = d.Identity
		if cand.Identity == "" {
			cand.Identity = env.Var("CONTAINER_SSHKEY")
		}
		cand.Machine = d.IsMachine
	}
	if d.TLSCA != "" || d.TLSCert != "" || d.TLSKey != "" {
		if addr.Scheme != SchemeTCP && addr.Scheme != SchemeHTTPS {
			return Candidate{}, false, fmt.Errorf("find %s: %s: TLS files do not go with %s", source, d.file, addr)
		}
		cand.TLS = &TLSFiles{CA: d.TLSCA, Cert: d.TLSCert, Key: d.TLSKey}
	}
	return cand, true, nil
}
