//go:build linux

package config

import (
	"context"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/image"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// Input is what a container is made of.
type Input struct {
	ID      string
	Name    string
	Created time.Time
	Spec    *engine.Spec
	Image   *image.Image
	// ImageRef is Spec.Image as inspect shows it; "" is Spec.Image.
	ImageRef string
	// LayerDirs are the image's layers, the topmost first.
	LayerDirs []string
	// Dir is containers/ID, which need not be there yet.
	Dir  string
	Host Host

	// Containers finds another container, for container: namespaces and volumes-from. The Run is nil when it does not run.
	Containers func(ref string) (*state.Config, *state.Run, error)
	// Secret finds a secret and its data.
	Secret func(nameOrID string) ([]byte, *engine.SecretAttrs, error)
	// Volume makes the volume of a mount, or finds it. Of an anonymous one Source is "".
	Volume func(m engine.Mount) (vol *engine.VolumeAttrs, created bool, err error)
	// ImageMount gives an image's layers, the topmost first, and their diffIDs.
	ImageMount func(ref string) (dirs, diffIDs []string, err error)
	// DefaultNetwork is the network of a container that names none.
	DefaultNetwork string
	// Resolv makes the content of resolv.conf; nil leaves a copy of the host's, changed by Spec.DNS….
	Resolv func(spec *engine.Spec) ([]byte, error)
	// HostGateway is the address that host-gateway stands for in Spec.ExtraHosts; "" leaves the
	// word in files/hosts for the monitor, who knows the container's gateway.
	HostGateway string
}

// CopyUp is a volume to which the image's files are to be copied once, if it is empty.
type CopyUp struct {
	Volume     string // its name
	Mountpoint string // on the host
	Path       string // absolute, in the image
}

// Output is what Build makes.
type Output struct {
	Config *state.Config
	OCI    *specs.Spec
	// Files go to containers/ID/files, by name; a name may have a directory: "secrets/x".
	Files  map[string]state.File
	CopyUp []CopyUp
	// ExtraLayers are diffIDs that image mounts use, beside those of the image. They are in Config.ExtraLayers too.
	ExtraLayers []string
	// NewVolumes are those that Build made by Input.Volume: when the container is not made they are to be removed.
	NewVolumes []string
	Warnings   []string
}

// Check names everything in spec that cannot be done on h, joined. It makes nothing and asks nobody.
func Check(spec *engine.Spec, h Host) error { return spec.Validate() }

// Build makes the configuration of a container. Where it fails after it has made volumes,
// the Output is not nil and holds nothing but NewVolumes.
func Build(ctx context.Context, in Input) (*Output, error) { return &Output{}, nil }
