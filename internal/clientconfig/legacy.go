package clientconfig

import (
	"bytes"
	"encoding/json"
	"strings"
)

// hubKey is the key of Docker Hub in "auths".
const hubKey = "https://index.docker.io/v1/"

// LoadLegacy reads ~/.dockercfg, where docker kept credentials before
// config.json, as a Config that has "auths" only.
func LoadLegacy(env Env) *Config {
	file := env.InHome(".dockercfg")
	if file == "" {
		return &Config{}
	}
	data, err := env.Read(file)
	if err != nil {
		return unreadable(file, err)
	}
	return ParseLegacy(file, data)
}

// ParseLegacy reads either form of .dockercfg: a JSON object of entries, or
// before that lines "auth = …" for Docker Hub alone.
func ParseLegacy(path string, data []byte) *Config {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return &Config{path: path}
	}
	if data[0] != '{' {
		for line := range strings.Lines(string(data)) {
			key, value, _ := strings.Cut(line, "=")
			if strings.TrimSpace(key) == "auth" {
				entry := map[string]Auth{hubKey: {Auth: strings.TrimSpace(value)}}
				data, _ = json.Marshal(entry) // strings only: cannot fail
				break
			}
		}
	}
	whole := append(append([]byte(`{"auths":`), data...), '}')
	return Parse(path, whole)
}
