//go:build linux

package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/berthdev/berth/engine"
)

// ConfigFile is an image's configuration: that of the OCI with Docker's additions.
type ConfigFile struct {
	Created      *time.Time      `json:"created,omitempty"`
	Author       string          `json:"author,omitempty"`
	Comment      string          `json:"comment,omitempty"` // Docker's
	Architecture string          `json:"architecture"`
	Variant      string          `json:"variant,omitempty"`
	OS           string          `json:"os"`
	OSVersion    string          `json:"os.version,omitempty"`
	OSFeatures   []string        `json:"os.features,omitempty"`
	Config       ContainerConfig `json:"config"`
	RootFS       RootFS          `json:"rootfs"`
	History      []History       `json:"history,omitempty"`
}

// RootFS names an image's layers.
type RootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

// History is a step of an image's making.
type History struct {
	Created    *time.Time `json:"created,omitempty"`
	CreatedBy  string     `json:"created_by,omitempty"`
	Author     string     `json:"author,omitempty"`
	Comment    string     `json:"comment,omitempty"`
	EmptyLayer bool       `json:"empty_layer,omitempty"`
}

// ContainerConfig is what an image says of its containers.
type ContainerConfig struct {
	User         string              `json:"User,omitempty"`
	ExposedPorts map[string]struct{} `json:"ExposedPorts,omitempty"`
	Env          []string            `json:"Env,omitempty"`
	Entrypoint   []string            `json:"Entrypoint,omitempty"`
	Cmd          []string            `json:"Cmd,omitempty"`
	Volumes      map[string]struct{} `json:"Volumes,omitempty"`
	WorkingDir   string              `json:"WorkingDir,omitempty"`
	Labels       map[string]string   `json:"Labels,omitempty"`
	StopSignal   string              `json:"StopSignal,omitempty"`
	Healthcheck  *Healthcheck        `json:"Healthcheck,omitempty"`
	Shell        []string            `json:"Shell,omitempty"`
	OnBuild      []string            `json:"OnBuild,omitempty"`
}

// Healthcheck is Docker's; durations are nanoseconds.
type Healthcheck struct {
	Test          []string      `json:"Test,omitempty"`
	Interval      time.Duration `json:"Interval,omitempty"`
	Timeout       time.Duration `json:"Timeout,omitempty"`
	StartPeriod   time.Duration `json:"StartPeriod,omitempty"`
	StartInterval time.Duration `json:"StartInterval,omitempty"`
	Retries       int           `json:"Retries,omitempty"`
}

// maxConfig bounds a configuration or manifest, in bytes: registries bound them to 4 MiB.
const maxConfig = 4 << 20

// maxLayers is what overlayfs can stack.
const maxLayers = 500

// parseConfig reads an image's configuration and judges what the store relies on.
func parseConfig(data []byte) (*ConfigFile, error) {
	var c ConfigFile
	if len(data) > maxConfig {
		return nil, errors.New("image configuration is too long")
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("parse image configuration: %w", err)
	}
	if c.OS == "" && c.RootFS.Type == "" {
		return nil, errors.New("parse image configuration: it has neither os nor rootfs")
	}
	if len(c.RootFS.DiffIDs) > maxLayers {
		return nil, fmt.Errorf("image has %d layers, more than %d", len(c.RootFS.DiffIDs), maxLayers)
	}
	for _, id := range c.RootFS.DiffIDs {
		if !isDigest(id) {
			return nil, fmt.Errorf("parse image configuration: %q is not a digest", id)
		}
	}
	return &c, nil
}

// neutral is the configuration in the engine's terms. It shares nothing with c.
func (c *ContainerConfig) neutral() engine.ImageConfig {
	n := engine.ImageConfig{
		User:         c.User,
		ExposedPorts: slices.Sorted(maps.Keys(c.ExposedPorts)),
		Env:          slices.Clone(c.Env),
		Entrypoint:   slices.Clone(c.Entrypoint),
		Cmd:          slices.Clone(c.Cmd),
		Volumes:      slices.Sorted(maps.Keys(c.Volumes)),
		WorkingDir:   c.WorkingDir,
		Labels:       maps.Clone(c.Labels),
		StopSignal:   c.StopSignal,
	}
	if h := c.Healthcheck; h != nil {
		n.Healthcheck = &engine.Healthcheck{Test: slices.Clone(h.Test), Interval: h.Interval, Timeout: h.Timeout, StartPeriod: h.StartPeriod, StartInterval: h.StartInterval, Retries: h.Retries}
	}
	return n
}

// Neutral is the configuration in the engine's terms. It shares nothing with i.
func (i *Image) Neutral() engine.ImageConfig { return i.Config.Config.neutral() }

// set replaces by n what engine.ImageConfig has; with nonzero only what n has.
func (c *ContainerConfig) set(n *engine.ImageConfig, nonzero bool) {
	put(&c.User, n.User, nonzero && n.User == "")
	put(&c.ExposedPorts, setOf(n.ExposedPorts), nonzero && n.ExposedPorts == nil)
	put(&c.Env, slices.Clone(n.Env), nonzero && n.Env == nil)
	put(&c.Entrypoint, slices.Clone(n.Entrypoint), nonzero && n.Entrypoint == nil)
	put(&c.Cmd, slices.Clone(n.Cmd), nonzero && n.Cmd == nil)
	put(&c.Volumes, setOf(n.Volumes), nonzero && n.Volumes == nil)
	put(&c.WorkingDir, n.WorkingDir, nonzero && n.WorkingDir == "")
	put(&c.Labels, maps.Clone(n.Labels), nonzero && n.Labels == nil)
	put(&c.StopSignal, n.StopSignal, nonzero && n.StopSignal == "")
	var health *Healthcheck
	if h := n.Healthcheck; h != nil {
		health = &Healthcheck{Test: slices.Clone(h.Test), Interval: h.Interval, Timeout: h.Timeout, StartPeriod: h.StartPeriod, StartInterval: h.StartInterval, Retries: h.Retries}
	}
	put(&c.Healthcheck, health, nonzero && health == nil)
}

func put[T any](to *T, value T, keep bool) {
	if !keep {
		*to = value
	}
}

func setOf(list []string) map[string]struct{} {
	if list == nil {
		return nil
	}
	set := make(map[string]struct{}, len(list))
	for _, s := range list {
		set[s] = struct{}{}
	}
	return set
}
