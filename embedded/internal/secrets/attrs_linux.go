package secrets

import (
	"encoding/json"
	"time"

	"github.com/berthdev/berth/engine"
)

// wireSecret is a secret as the APIs of Docker and Podman show it: without its data.
type wireSecret struct {
	ID        string
	CreatedAt time.Time
	UpdatedAt time.Time
	Spec      wireSpec
}

type wireSpec struct {
	Name   string
	Driver wireDriver
	Labels map[string]string
}

type wireDriver struct {
	Name    string
	Options map[string]string
}

func attrs(s *secret) (*engine.SecretAttrs, error) {
	const driver = "file"
	raw, err := json.Marshal(wireSecret{s.ID, s.Created, s.Updated, wireSpec{s.Name, wireDriver{Name: driver}, s.Labels}})
	return &engine.SecretAttrs{ID: s.ID, Name: s.Name, Driver: driver, Labels: s.Labels, Created: s.Created, Updated: s.Updated, Raw: raw}, err
}
