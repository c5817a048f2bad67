package enginetest

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Result is what a case came to.
type Result string

// The results.
const (
	Works       Result = "works"
	Unsupported Result = "unsupported"
	Untestable  Result = "untestable"
	Failed      Result = "failed"
)

// Outcome is the result of one case on one engine.
type Outcome struct {
	Case   string `json:"case"`
	Result Result `json:"result"`
	Option string `json:"option,omitempty"` // of an UnsupportedError
	Detail string `json:"detail,omitempty"` // why it is unsupported or untestable
}

// Report is the file that a run writes.
type Report struct {
	Engine   string    `json:"engine"` // Config.Name
	Kind     string    `json:"kind"`   // docker, podman, embedded
	Version  string    `json:"version"`
	API      string    `json:"api"`
	Cgroup   string    `json:"cgroup,omitempty"`
	Outcomes []Outcome `json:"outcomes"`
}

func (s *suite) write(context.Context) error {
	id := s.cli.Engine()
	r := Report{Engine: s.cfg.Name, Kind: id.Name, Version: id.Version, API: id.APIVersion, Cgroup: id.CgroupVersion}
	s.mu.Lock()
	for _, name := range slices.Sorted(maps.Keys(s.outcomes)) {
		r.Outcomes = append(r.Outcomes, s.outcomes[name])
	}
	s.mu.Unlock()
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.cfg.Results, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.cfg.Results, s.cfg.Name+".json"), append(data, '\n'), 0o644)
}
