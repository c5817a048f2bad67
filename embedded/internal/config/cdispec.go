//go:build linux

package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
)

// cdiSpec is a specification of the Container Device Interface (version 1.0 and before).
type cdiSpec struct {
	Version        string      `json:"cdiVersion"`
	Kind           string      `json:"kind"` // vendor/class
	Devices        []cdiDevice `json:"devices"`
	ContainerEdits cdiEdits    `json:"containerEdits"`

	path     string
	priority int // of its directory
}

type cdiDevice struct {
	Name           string   `json:"name"`
	ContainerEdits cdiEdits `json:"containerEdits"`
}

type cdiEdits struct {
	Env            []string          `json:"env"`
	DeviceNodes    []cdiNode         `json:"deviceNodes"`
	NetDevices     []json.RawMessage `json:"netDevices"`
	Mounts         []cdiMount        `json:"mounts"`
	Hooks          []json.RawMessage `json:"hooks"`
	IntelRdt       json.RawMessage   `json:"intelRdt"`
	AdditionalGIDs []uint32          `json:"additionalGids"`
}

type cdiNode struct {
	Path        string       `json:"path"`
	HostPath    string       `json:"hostPath"`
	Type        string       `json:"type"`
	Major       int64        `json:"major"`
	Minor       int64        `json:"minor"`
	FileMode    *os.FileMode `json:"fileMode"`
	Permissions string       `json:"permissions"`
	UID         *uint32      `json:"uid"`
	GID         *uint32      `json:"gid"`
}

type cdiMount struct {
	HostPath      string   `json:"hostPath"`
	ContainerPath string   `json:"containerPath"`
	Options       []string `json:"options"`
	Type          string   `json:"type"`
}

// cdiRegistry is what the specifications of this machine say.
type cdiRegistry struct {
	dirs  []string
	specs []cdiSpec
	bad   []error // files that are none
}

// readCDI reads the specifications of directories, of which the last one wins. A file that is malformed
// is told of only when a device is not found.
func readCDI(dirs []string) (*cdiRegistry, error) {
	reg := &cdiRegistry{dirs: dirs}
	for priority, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		for _, e := range entries {
			ext := filepath.Ext(e.Name())
			if e.IsDir() || ext != ".json" && ext != ".yaml" && ext != ".yml" {
				continue
			}
			p := filepath.Join(dir, e.Name())
			s, err := readCDISpec(p)
			if err != nil {
				reg.bad = append(reg.bad, fmt.Errorf("%s: %w", p, err))
				continue
			}
			s.path, s.priority = p, priority
			reg.specs = append(reg.specs, s)
		}
	}
	return reg, nil
}

func readCDISpec(p string) (cdiSpec, error) {
	var s cdiSpec
	b, err := os.ReadFile(p)
	if err != nil {
		return s, err
	}
	if filepath.Ext(p) != ".json" {
		if b, err = yamlToJSON(b); err != nil {
			return s, err
		}
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, err
	}
	if vendor, class, ok := strings.Cut(s.Kind, "/"); !ok || vendor == "" || class == "" {
		return s, fmt.Errorf("the kind %q is not VENDOR/CLASS", s.Kind)
	}
	return s, nil
}

func (r *cdiRegistry) hasKind(kind string) bool {
	return slices.ContainsFunc(r.specs, func(s cdiSpec) bool { return s.Kind == kind })
}

// find finds a device by its full name. Two files of one directory that describe it are an error.
func (r *cdiRegistry) find(option, name string) (cdiSpec, cdiDevice, error) {
	kind, device, _ := strings.Cut(name, "=")
	var spec cdiSpec
	var dev cdiDevice
	other := ""
	for _, s := range r.specs {
		if s.Kind != kind {
			continue
		}
		for _, d := range s.Devices {
			if d.Name != device {
				continue
			}
			other = ""
			if spec.path != "" && spec.priority == s.priority {
				other = spec.path
			}
			spec, dev = s, d
		}
	}
	switch {
	case other != "":
		return spec, dev, invalid(option, name, "both "+other+" and "+spec.path+" describe the CDI device")
	case spec.path == "":
		e := &engine.InvalidError{Option: option, Value: name, Reason: "no CDI specification in " + strings.Join(r.dirs, ", ") + " describes the device"}
		if len(r.bad) > 0 {
			e.Err = fmt.Errorf("one cannot be read: %w", r.bad[0])
		}
		return spec, dev, e
	}
	return spec, dev, nil
}
