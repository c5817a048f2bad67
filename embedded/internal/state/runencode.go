package state

import (
	"encoding/json"
	"time"

	"github.com/berthdev/berth/engine"
)

// MarshalJSON is what encoding/json would do. It spares a monitor to learn the types of what most
// containers do not have, which their starts would wait for.
func (r Run) MarshalJSON() ([]byte, error) {
	brief := struct {
		Status    engine.Status   `json:"status"`
		Monitor   int             `json:"monitor"`
		PID       int             `json:"pid"`
		StartTime uint64          `json:"startTime"`
		StartedAt time.Time       `json:"startedAt"`
		Restarts  int             `json:"restarts"`
		Health    json.RawMessage `json:"health,omitempty"`
		Execs     bool            `json:"execs,omitzero"`
		Networks  json.RawMessage `json:"networks"`
		Ports     json.RawMessage `json:"ports"`
		Netns     string          `json:"netns"`
		Error     string          `json:"error,omitzero"`
	}{
		Status: r.Status, Monitor: r.Monitor, PID: r.PID, StartTime: r.StartTime, StartedAt: r.StartedAt, Restarts: r.Restarts,
		Execs: r.Execs, Netns: r.Netns, Error: r.Error,
	}
	var err error
	if r.Health != nil {
		if brief.Health, err = json.Marshal(r.Health); err != nil {
			return nil, err
		}
	}
	if r.Networks != nil {
		if brief.Networks, err = json.Marshal(r.Networks); err != nil {
			return nil, err
		}
	}
	if r.Ports != nil {
		if brief.Ports, err = json.Marshal(r.Ports); err != nil {
			return nil, err
		}
	}
	return json.Marshal(brief)
}
