package state

import (
	"encoding/json"

	"github.com/berthdev/berth/engine"
)

// configJSON is container.json: Config, and what engine.ImageConfig keeps out of its own JSON.
type configJSON struct {
	*Config
	ImageExposedPorts []string            `json:"imageExposedPorts,omitzero"`
	ImageVolumes      []string            `json:"imageVolumes,omitzero"`
	ImageHealthcheck  *engine.Healthcheck `json:"imageHealthcheck,omitzero"`
}

func encodeConfig(c *Config) ([]byte, error) {
	i := &c.ImageConfig
	data, err := json.Marshal(configJSON{c, i.ExposedPorts, i.Volumes, i.Healthcheck})
	return append(data, '\n'), err
}

func decodeConfig(data []byte) (*Config, error) {
	j := configJSON{Config: &Config{}}
	if err := json.Unmarshal(data, &j); err != nil {
		return nil, err
	}
	i := &j.Config.ImageConfig
	i.ExposedPorts, i.Volumes, i.Healthcheck = j.ImageExposedPorts, j.ImageVolumes, j.ImageHealthcheck
	return j.Config, nil
}
