package state

import (
	"encoding/json"
	"errors"
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
	j := struct {
		*Config
		Layers            any      `json:"layers,omitzero"` // instead of Config's
		ImageExposedPorts []string `json:"imageExposedPorts,omitzero"`
	}{Config: &all, ImageExposedPorts: c.ImageConfig.ExposedPorts}
	lead := canLead(c.Layers)
	if !lead {
		j.Layers = c.Layers
	}
	data, err := json.Marshal(j)
	if err == nil && lead {
		data = putLayers(c.Layers, data)
	}
	return append(data, '\n'), err
}

// specJSON reads a Spec as engine.Spec does, but in one pass over the text, where
// an UnmarshalJSON of its own costs several: a list reads thousands. An unknown member, that of a newer program, is passed over.
//
// Members whose types reach many others are decoded where they are there only: encoding/json learns a type with all
// that it reaches, once in a process, and a new monitor's container waits for that.
type specJSON struct {
	*plainSpec
	StopTimeout *durationText `json:"stopTimeout"`
	Timeout     durationText  `json:"timeout"`

	Healthcheck    json.RawMessage `json:"healthcheck"`
	Mounts         json.RawMessage `json:"mounts"`
	Devices        json.RawMessage `json:"devices"`
	DeviceRequests json.RawMessage `json:"deviceRequests"`
	Resources      json.RawMessage `json:"resources"`
	Ulimits        json.RawMessage `json:"ulimits"`
	Networks       json.RawMessage `json:"networks"`
	Ports          json.RawMessage `json:"ports"`
	Secrets        json.RawMessage `json:"secrets"`
	Podman         json.RawMessage `json:"podman"`
	Windows        json.RawMessage `json:"windows"`
}

// rest decodes the members that are left.
func (j *specJSON) rest(s *engine.Spec) error {
	return errors.Join(
		member(j.Healthcheck, &s.Healthcheck), list(j.Mounts, &s.Mounts), list(j.Devices, &s.Devices),
		list(j.DeviceRequests, &s.DeviceRequests), member(j.Resources, &s.Resources), list(j.Ulimits, &s.Ulimits),
		list(j.Networks, &s.Networks), list(j.Ports, &s.Ports), list(j.Secrets, &s.Secrets),
		member(j.Podman, &s.Podman), member(j.Windows, &s.Windows),
	)
}

// member decodes a member of an object, if it is there.
func member(data json.RawMessage, to any) error {
	if data == nil {
		return nil
	}
	return json.Unmarshal(data, to)
}

// list is member for a list, which is often empty.
func list[T any](data json.RawMessage, to *[]T) error {
	if string(data) == "[]" {
		*to = []T{}
		return nil
	}
	return member(data, to)
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
	layers, data := cutLayers(data)
	c := &Config{}
	j := struct {
		*Config
		Spec              specJSON `json:"spec"` // instead of Config's
		ImageExposedPorts []string `json:"imageExposedPorts"`
		// Decoded later, as those of specJSON.
		ImageHealthcheck json.RawMessage `json:"imageHealthcheck"`
		Healthcheck      json.RawMessage `json:"healthcheck"`
		Mounts           json.RawMessage `json:"mounts"`
		Networks         json.RawMessage `json:"networks"`
		Ports            json.RawMessage `json:"ports"`
	}{Config: c, Spec: specJSON{plainSpec: (*plainSpec)(&c.Spec)}}
	if err := json.Unmarshal(data, &j); err != nil {
		return nil, err
	}
	if j.Config == nil || j.Spec.plainSpec == nil {
		return nil, fmt.Errorf("no configuration of a container")
	}
	if err := errors.Join(
		j.Spec.rest(&c.Spec), member(j.ImageHealthcheck, &c.ImageHealthcheck), member(j.Healthcheck, &c.Healthcheck),
		list(j.Mounts, &c.Mounts), list(j.Networks, &c.Networks), list(j.Ports, &c.Ports),
	); err != nil {
		return nil, err
	}
	if c.Layers == nil {
		c.Layers = layers
	}
	c.Spec.StopTimeout, c.Spec.Timeout = (*time.Duration)(j.Spec.StopTimeout), time.Duration(j.Spec.Timeout)
	c.ImageConfig.ExposedPorts, c.ImageConfig.Volumes, c.ImageConfig.Healthcheck = j.ImageExposedPorts, c.ImageVolumes, c.ImageHealthcheck
	return c, nil
}
