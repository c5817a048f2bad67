//go:build linux

package config

import (
	"encoding/json"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// patched is oci with Spec.Raw["embedded"] merged into it (RFC 7386), or oci itself when there is none.
func patched(oci *specs.Spec, s *engine.Spec) (*specs.Spec, error) {
	patch, ok := s.Raw[engineName]
	if !ok {
		return oci, nil
	}
	b, err := json.Marshal(oci)
	if err != nil {
		return nil, fmt.Errorf("write OCI configuration: %w", err)
	}
	b, err = normal.MergePatch(b, patch)
	if err == nil {
		out := new(specs.Spec)
		if err = json.Unmarshal(b, out); err == nil {
			return out, nil
		}
	}
	return nil, &engine.InvalidError{Option: `Spec.Raw["embedded"]`, Err: err}
}

// clone copies oci so that it can be changed.
func clone(oci *specs.Spec) (*specs.Spec, error) {
	b, err := json.Marshal(oci)
	if err != nil {
		return nil, fmt.Errorf("write OCI configuration: %w", err)
	}
	out := new(specs.Spec)
	if err := json.Unmarshal(b, out); err != nil {
		return nil, fmt.Errorf("read OCI configuration: %w", err)
	}
	return out, nil
}
