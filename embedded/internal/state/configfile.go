package state

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/berthdev/berth/engine"
)

// encodeConfig writes container.json. Text that is not UTF-8 is an engine.ErrInvalid.
func encodeConfig(c *Config) ([]byte, error) {
	all := *c // with what engine.ImageConfig keeps out of its JSON
	if all.ImageVolumes == nil {
		all.ImageVolumes = c.ImageConfig.Volumes
	}
	if all.ImageHealthcheck == nil {
		all.ImageHealthcheck = c.ImageConfig.Healthcheck
	}
	data, err := json.Marshal(struct {
		*Config
		ImageExposedPorts []string `json:"imageExposedPorts,omitzero"`
	}{&all, c.ImageConfig.ExposedPorts})
	return append(data, '\n'), err
}

// specJSON reads a Spec as engine.Spec does, but in one pass over the text, where
// an UnmarshalJSON of its own costs several: a list reads thousands. An unknown member, that of a newer program, is passed over.
type specJSON struct {
	*plainSpec
	StopTimeout *durationText `json:"stopTimeout"`
	Timeout     durationText  `json:"timeout"`
}

type plainSpec engine.Spec

type durationText time.Duration

// UnmarshalJSON reads Go's text and a number of nanoseconds.
func (d *durationText) UnmarshalJSON(data []byte) error {
	if len(data) > 2 && data[0] == '"' {
		v, err := time.ParseDuration(string(data[1 : len(data)-1]))
		*d = durationText(v)
		return err
	}
	return json.Unmarshal(data, (*time.Duration)(d))
}

// decodeConfig reads container.json.
func decodeConfig(data []byte) (*Config, error) {
	c := &Config{}
	j := struct {
		*Config
		Spec              specJSON `json:"spec"` // instead of Config's
		ImageExposedPorts []string `json:"imageExposedPorts"`
	}{Config: c, Spec: specJSON{plainSpec: (*plainSpec)(&c.Spec)}}
	if err := json.Unmarshal(data, &j); err != nil {
		return nil, err
	}
	if j.Config == nil || j.Spec.plainSpec == nil {
		return nil, fmt.Errorf("no configuration of a container")
	}
	c.Spec.StopTimeout, c.Spec.Timeout = (*time.Duration)(j.Spec.StopTimeout), time.Duration(j.Spec.Timeout)
	c.ImageConfig.ExposedPorts, c.ImageConfig.Volumes, c.ImageConfig.Healthcheck = j.ImageExposedPorts, c.ImageVolumes, c.ImageHealthcheck
	return c, nil
}
