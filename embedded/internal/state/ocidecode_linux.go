package state

import (
	"bytes"
	"encoding/json"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Package encoding/json learns a type with all that it reaches when it meets it first, which
// takes milliseconds for specs.Spec, with its parts for other systems. A monitor decodes one: its
// container would wait for that. What the engine writes is of the types below, which
// reach much less; any other member makes the whole type necessary.

type ociSpec struct {
	Version     string            `json:"ociVersion"`
	Process     *ociProcess       `json:"process"`
	Root        *specs.Root       `json:"root"`
	Hostname    string            `json:"hostname"`
	Domainname  string            `json:"domainname"`
	Mounts      []ociMount        `json:"mounts"`
	Annotations map[string]string `json:"annotations"`
	Linux       *ociLinux         `json:"linux"`
}

type ociProcess struct {
	Terminal        bool                     `json:"terminal"`
	User            specs.User               `json:"user"`
	Args            []string                 `json:"args"`
	Env             []string                 `json:"env"`
	Cwd             string                   `json:"cwd"`
	Capabilities    *specs.LinuxCapabilities `json:"capabilities"`
	Rlimits         []specs.POSIXRlimit      `json:"rlimits"`
	NoNewPrivileges bool                     `json:"noNewPrivileges"`
	ApparmorProfile string                   `json:"apparmorProfile"`
	OOMScoreAdj     *int                     `json:"oomScoreAdj"`
}

type ociMount struct {
	Destination string   `json:"destination"`
	Type        string   `json:"type"`
	Source      string   `json:"source"`
	Options     []string `json:"options"`
}

type ociLinux struct {
	Sysctl        map[string]string      `json:"sysctl"`
	Resources     *ociResources          `json:"resources"`
	CgroupsPath   string                 `json:"cgroupsPath"`
	Namespaces    []specs.LinuxNamespace `json:"namespaces"`
	Seccomp       *specs.LinuxSeccomp    `json:"seccomp"`
	MaskedPaths   []string               `json:"maskedPaths"`
	ReadonlyPaths []string               `json:"readonlyPaths"`
}

type ociResources struct {
	Devices []specs.LinuxDeviceCgroup `json:"devices"`
	Memory  *specs.LinuxMemory        `json:"memory"`
	CPU     *specs.LinuxCPU           `json:"cpu"`
	Pids    *specs.LinuxPids          `json:"pids"`
}

// decodeOCI decodes a config.json.
func decodeOCI(data []byte) (*specs.Spec, error) {
	var s ociSpec
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if dec.Decode(&s) == nil && !dec.More() {
		return s.spec(), nil
	}
	whole := &specs.Spec{}
	return whole, json.Unmarshal(data, whole)
}

func (s *ociSpec) spec() *specs.Spec {
	spec := &specs.Spec{
		Version: s.Version, Root: s.Root, Hostname: s.Hostname, Domainname: s.Domainname, Annotations: s.Annotations,
	}
	if s.Mounts != nil {
		spec.Mounts = make([]specs.Mount, len(s.Mounts))
	}
	for i, m := range s.Mounts {
		spec.Mounts[i] = specs.Mount{Destination: m.Destination, Type: m.Type, Source: m.Source, Options: m.Options}
	}
	if p := s.Process; p != nil {
		spec.Process = &specs.Process{
			Terminal: p.Terminal, User: p.User, Args: p.Args, Env: p.Env, Cwd: p.Cwd, Capabilities: p.Capabilities, Rlimits: p.Rlimits,
			NoNewPrivileges: p.NoNewPrivileges, ApparmorProfile: p.ApparmorProfile, OOMScoreAdj: p.OOMScoreAdj,
		}
	}
	if l := s.Linux; l != nil {
		spec.Linux = &specs.Linux{
			Sysctl: l.Sysctl, CgroupsPath: l.CgroupsPath, Namespaces: l.Namespaces, Seccomp: l.Seccomp,
			MaskedPaths: l.MaskedPaths, ReadonlyPaths: l.ReadonlyPaths,
		}
		if r := l.Resources; r != nil {
			spec.Linux.Resources = &specs.LinuxResources{Devices: r.Devices, Memory: r.Memory, CPU: r.CPU, Pids: r.Pids}
		}
	}
	return spec
}
