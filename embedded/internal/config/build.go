//go:build linux

package config

import (
	"cmp"
	"context"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// Input is what a container is made of.
type Input struct {
	ID      string
	Name    string
	Created time.Time
	Spec    *engine.Spec
	Checked bool   // Check has found nothing wrong with Spec
	Image   *Image // nil: the root is a directory
	// LayerDirs are the image's layers, the topmost first.
	LayerDirs []string
	// Accounts remembers the users of images; nil: they are looked up.
	Accounts *Accounts
	// Dir is containers/ID, which need not be there yet.
	Dir  string
	Host Host

	// Containers finds another container, for container: namespaces, links and volumes-from. The Run is nil when it does not run.
	Containers func(ref string) (*state.Config, *state.Run, error)
	// FirstProcess finds the running container with this first process, for namespaces by their paths without root; nil is none.
	FirstProcess func(pid int) (*state.Config, error)
	// Secret finds a secret and its data.
	Secret func(nameOrID string) ([]byte, *engine.SecretAttrs, error)
	// Volume makes the volume of a mount, or finds it. Of an anonymous one Source is "".
	Volume func(m engine.Mount) (vol *engine.VolumeAttrs, created bool, err error)
	// ImageMount gives an image's layers, the topmost first, and their diffIDs.
	ImageMount func(ref string) (dirs, diffIDs []string, err error)
	// Renumber gives copies of layers, and their diffIDs, whose files' owners on the disk are those that the maps give. The directories come the topmost first.
	Renumber func(diffIDs []string, uids, gids []engine.IDMap) (dirs, ids []string, err error)
	// UsedIDs are the maps of all containers (state.Config.UIDMap), for UsernsMode auto; nil: they are not known.
	UsedIDs func() ([]engine.IDMap, error)
	// DefaultNetwork is the network of a container that names none.
	DefaultNetwork string
}

// Image is what counts of an image. Package image has the rest, with registries and archives, which
// a monitor must not load: it uses this package too.
type Image struct {
	ID       string   // sha256:…
	DiffIDs  []string // lowest first
	Config   engine.ImageConfig
	Platform string // os/arch[/variant]; "" is this machine's
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
	// Files go to containers/ID/files, by name; a name may have a directory: "secrets/0".
	Files  map[string]state.File
	CopyUp []CopyUp
	// ExtraLayers are diffIDs that image mounts use, beside those of the image. They are in Config.ExtraLayers too.
	ExtraLayers []string
	// NewVolumes are those that Input.Volume has made: when the container is not made they are to be removed.
	NewVolumes []string
	Warnings   []string
}

// builder makes one configuration.
type builder struct {
	in  Input
	s   *engine.Spec
	h   Host
	sec normal.Security
	out *Output
	cfg *state.Config
	oci *specs.Spec

	hostname  string
	netOther  *state.Config // whose network the container has
	mounts    []specs.Mount // all but the usual file systems
	cdiEnv    []string
	cdiGroups []uint32
}

// ociVersion is the newest that runc 1.0 and crun 1.8 take.
const ociVersion = "1.0.2"

// Build makes the configuration of a container. Where it fails after it has made volumes,
// the Output is not nil and holds nothing but NewVolumes.
func Build(ctx context.Context, in Input) (*Output, error) {
	if !in.Checked {
		if err := Check(in.Spec, in.Host); err != nil {
			return nil, err
		}
	}
	b := &builder{in: in, s: new(in.Spec.Clone()), h: in.Host, out: &Output{Files: map[string]state.File{}}}
	b.s.Name = in.Name
	if err := b.build(ctx); err != nil {
		return &Output{NewVolumes: b.out.NewVolumes}, err
	}
	return b.out, nil
}

func (b *builder) build(ctx context.Context) error {
	var err error
	if b.sec, err = normal.SecurityOpts(b.s.SecurityOpt); err != nil {
		return err
	}
	if err := b.begin(); err != nil {
		return err
	}
	b.oci.Linux.Resources, err = Resources(b.s.Resources, b.h)
	if err != nil {
		return err
	}
	if p := b.s.Podman; p != nil {
		b.oci.Linux.Resources.Unified = p.Unified
		b.oci.Linux.RootfsPropagation = p.RootfsPropagation
		b.cfg.Volatile = b.cfg.Volatile || p.Volatile
	}
	for _, step := range []func() error{b.network, b.namespaces, b.networkSysctls, b.names, b.process, b.security, b.devices, b.tmpfsModes, b.allMounts, b.health} {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := step(); err != nil {
			return err
		}
	}
	b.finish()
	return b.raw()
}

// begin sets what needs no thought.
func (b *builder) begin() error {
	in, s := b.in, b.s
	cfg := &state.Config{
		ID: in.ID, Name: in.Name, Created: in.Created, Spec: *s, Image: s.Image,
		Init: deref(s.Init), Runtime: s.Runtime, Volatile: s.AutoRemove,
		Platform: "linux/" + runtime.GOARCH,
	}
	if img := in.Image; img != nil {
		if err := checkImage(s.Image, &img.Config); err != nil {
			return err
		}
		cfg.ImageID, cfg.Layers, cfg.ImageConfig = img.ID, slices.Clone(img.DiffIDs), img.Config
		cfg.ImageVolumes, cfg.ImageHealthcheck = cfg.ImageConfig.Volumes, cfg.ImageConfig.Healthcheck
		cfg.Platform = cmp.Or(img.Platform, cfg.Platform)
	}
	cfg.Cgroup = filepath.Join("berth", in.ID)
	if parent := strings.Trim(filepath.Clean("/"+s.CgroupParent), "/"); parent != "" {
		cfg.Cgroup = filepath.Join(parent, in.ID)
	}
	cfg.StopTimeout = defaultStopTimeout
	if s.StopTimeout != nil {
		cfg.StopTimeout = *s.StopTimeout
	}
	var err error
	if cfg.StopSignal, err = stopSignal(s.StopSignal, cfg.ImageConfig.StopSignal); err != nil {
		return err
	}
	if cfg.Log, err = logConfig(s.LogConfig); err != nil {
		return err
	}
	b.cfg = cfg
	b.oci = &specs.Spec{
		Version:     ociVersion,
		Process:     &specs.Process{},
		Root:        &specs.Root{Path: filepath.Join(in.Dir, "root"), Readonly: s.ReadOnly},
		Annotations: s.Annotations,
		Linux:       &specs.Linux{CgroupsPath: "/" + cfg.Cgroup, Sysctl: maps.Clone(s.Sysctls)},
	}
	return nil
}

// defaultStopTimeout is Docker's.
const defaultStopTimeout = 10 * time.Second

// stopSignal is the Spec's, else the image's, else SIGTERM. An image's that is malformed counts for nothing, as with Docker.
func stopSignal(own, image string) (int, error) {
	const sigterm = 15
	if own != "" {
		n, _, err := engine.ParseSignal(own)
		return n, err
	}
	if n, _, err := engine.ParseSignal(image); err == nil && image != "" {
		return n, nil
	}
	return sigterm, nil
}

// health completes the health check.
func (b *builder) health() error {
	own := b.s.Healthcheck
	h := normal.MergeHealth(b.cfg.ImageHealthcheck, own)
	if h == nil && own != nil {
		return invalid("Spec.Healthcheck.Test", "", "neither it nor the image has a test")
	}
	b.cfg.Healthcheck = h
	return nil
}

// finish adds what CDI devices change of the process, and hands all over.
func (b *builder) finish() {
	p := b.oci.Process
	p.Env = setEnv(p.Env, b.cdiEnv...)
	b.cfg.CDIEnv, b.cfg.CDIGroups = b.cdiEnv, b.cdiGroups
	for _, g := range b.cdiGroups {
		p.User.AdditionalGids = appendID(p.User.AdditionalGids, g)
	}
	b.cfg.ExtraLayers = b.out.ExtraLayers
	b.out.Config, b.out.OCI = b.cfg, b.oci
}

// raw merges the caller's own words into the OCI configuration.
func (b *builder) raw() error {
	oci, err := patched(b.oci, b.s)
	b.out.OCI = oci
	return err
}

// other finds another container; option is what names it.
func (b *builder) other(option, ref string) (*state.Config, error) {
	if b.in.Containers == nil {
		return nil, unsupported(option, ref, "there are no other containers")
	}
	cfg, _, err := b.in.Containers(ref)
	return cfg, err
}
