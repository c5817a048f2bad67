package proto

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/berthdev/berth/engine"
)

// Package encoding/json learns a type with all that it reaches when it meets it first, and a
// monitor's first messages are what a container's start waits for. They are of the types
// below, which reach little; all others are of the whole types.

type briefResponse struct {
	Error *Error       `json:"error,omitzero"`
	Again bool         `json:"again,omitzero"`
	TTY   bool         `json:"tty,omitzero"`
	ID    string       `json:"id,omitzero"`
	IDs   []string     `json:"ids,omitzero"`
	Exit  *engine.Exit `json:"exit,omitzero"`
}

// MarshalJSON is what encoding/json would do.
func (r Response) MarshalJSON() ([]byte, error) {
	if r.Exec == nil && r.Health == nil {
		return json.Marshal(briefResponse{Error: r.Error, Again: r.Again, TTY: r.TTY, ID: r.ID, IDs: r.IDs, Exit: r.Exit})
	}
	type whole Response
	return json.Marshal(whole(r))
}

type briefRequest struct {
	Op      Op                   `json:"op"`
	Signal  string               `json:"signal"`
	Timeout *time.Duration       `json:"timeout"`
	Cond    engine.WaitCondition `json:"cond"`
	Keys    string               `json:"keys"`
	Force   bool                 `json:"force"`
	Name    string               `json:"name"`
}

// execRequest is what the calls of execs use.
type execRequest struct {
	Op     Op                       `json:"op"`
	Exec   string                   `json:"exec"`
	Spec   *engine.ExecSpec         `json:"spec"`
	Start  *engine.ExecStartOptions `json:"start"`
	Signal string                   `json:"signal"`
	Size   engine.Size              `json:"size"`
}

// UnmarshalJSON is what encoding/json would do.
func (r *Request) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte(`{"op":"exec-`)) { // as Write begins them
		var b execRequest
		if err := json.Unmarshal(data, &b); err != nil {
			return err
		}
		*r = Request{Op: b.Op, Exec: b.Exec, Spec: b.Spec, Start: b.Start, Signal: b.Signal, Size: b.Size}
		return nil
	}
	var b briefRequest
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if dec.Decode(&b) == nil {
		*r = Request{Op: b.Op, Signal: b.Signal, Timeout: b.Timeout, Cond: b.Cond, Keys: b.Keys, Force: b.Force, Name: b.Name}
		return nil
	}
	type whole Request
	return json.Unmarshal(data, (*whole)(r))
}
