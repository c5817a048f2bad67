package connect

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// contextMeta is the part of a Docker context's meta.json that matters here.
type contextMeta struct {
	Name      string
	Endpoints map[string]struct {
		Host          string
		SkipTLSVerify bool
	}
}

// fromContext is the candidate of a named Docker context. An unknown name is an
// error that tells the known ones.
func fromContext(env Env, name, how string) (Candidate, error) {
	source := fmt.Sprintf("docker context %q", name)
	if how != "" {
		source += " (" + how + ")"
	}
	dir := env.DockerDir()
	if dir == "" {
		return Candidate{}, fmt.Errorf("find %s: neither DOCKER_CONFIG nor a home directory", source)
	}
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	file := env.Join(dir, "contexts", "meta", id, "meta.json")
	data, err := env.Read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Candidate{}, fmt.Errorf("find %s: no such context in %s%s", source, dir, knownContexts(env, dir))
	}
	if err != nil {
		return Candidate{}, fmt.Errorf("find %s: %w", source, err)
	}
	var meta contextMeta
	if err := json.Unmarshal(data, &meta); err != nil {
		return Candidate{}, fmt.Errorf("find %s: parse %s: %w", source, file, err)
	}
	endpoint, ok := meta.Endpoints["docker"]
	if !ok {
		return Candidate{}, fmt.Errorf("find %s: %s has no docker endpoint", source, file)
	}
	addr, err := ParseHost(endpoint.Host, env.GOOS)
	if err == nil && addr.Scheme == SchemeEngine {
		err = &AddressError{Address: endpoint.Host, Reason: "not an address"}
	}
	if err != nil {
		return Candidate{}, fmt.Errorf("find %s: %s: %w", source, file, err)
	}
	c := candidate(addr, source)
	c.Explicit = true
	if addr.Scheme == SchemeTCP || addr.Scheme == SchemeHTTPS {
		c.TLS = contextTLS(env, env.Join(dir, "contexts", "tls", id, "docker"), endpoint.SkipTLSVerify)
	}
	return c, nil
}

// contextTLS takes those of the three files that are there, as docker does
// (docker-py wants all three), and is nil when nothing asks for TLS.
func contextTLS(env Env, dir string, skipVerify bool) *TLSFiles {
	t := TLSFiles{SkipVerify: skipVerify}
	found := skipVerify
	for name, field := range map[string]*string{"ca.pem": &t.CA, "cert.pem": &t.Cert, "key.pem": &t.Key} {
		if file := env.Join(dir, name); env.Exists(file) {
			*field = file
			found = true
		}
	}
	if !found {
		return nil
	}
	return &t
}

// knownContexts is a list of names for an error message, "" if there are none.
func knownContexts(env Env, dir string) string {
	entries, err := env.List(env.Join(dir, "contexts", "meta"))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		var meta contextMeta
		data, err := env.Read(env.Join(dir, "contexts", "meta", e.Name(), "meta.json"))
		if err == nil && json.Unmarshal(data, &meta) == nil && meta.Name != "" {
			names = append(names, meta.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return " (it has " + strings.Join(names, ", ") + ")"
}
