package berth

import "github.com/berthdev/berth/engine"

// Godoc shows an alias without the fields of its type: follow the link of each,
// or run go doc github.com/berthdev/berth/engine Spec.

// Spec says what a container is: image, command, mounts, limits, networks. Only
// Image is required. It is inert data, which no call modifies. Fields and
// methods: [engine.Spec].
type Spec = engine.Spec

// RestartPolicy says when the engine restarts a container, for Spec.RestartPolicy:
// {Name: "on-failure", MaximumRetryCount: 3}. See [engine.RestartPolicy] and [ParseRestartPolicy].
type RestartPolicy = engine.RestartPolicy

// LogConfig chooses the log driver, for Spec.LogConfig: {Driver: "none"}. See [engine.LogConfig].
type LogConfig = engine.LogConfig

// Healthcheck says how the engine tests a container, for Spec.Healthcheck:
// {Test: CmdShell("pg_isready"), Interval: time.Second}. See [engine.Healthcheck].
type Healthcheck = engine.Healthcheck

// StartupHealthcheck is Podman's startup health check, for Healthcheck.Startup. See [engine.StartupHealthcheck].
type StartupHealthcheck = engine.StartupHealthcheck

// Ulimit is a resource limit of the process, for Spec.Ulimits: {Name: "nofile",
// Soft: 1024, Hard: 2048}. See [engine.Ulimit] and [ParseUlimit].
type Ulimit = engine.Ulimit

// Device is a device of the engine's host, for Spec.Devices: {Host: "/dev/fuse"}. See [engine.Device] and [ParseDevice].
type Device = engine.Device

// DeviceRequest asks a device driver for devices, for Spec.DeviceRequests. See [engine.DeviceRequest] and [GPUs].
type DeviceRequest = engine.DeviceRequest

// DeviceCgroupRule is a rule of Spec.DeviceCgroupRules in its parts. See [engine.DeviceCgroupRule].
type DeviceCgroupRule = engine.DeviceCgroupRule

// SecretMount puts a secret of the engine into a container as a file, for
// Spec.Secrets: {Source: "tls-key"}. See [engine.SecretMount] and [ParseSecret].
type SecretMount = engine.SecretMount

// Endpoint is a container's place in one network, for Spec.Networks: {Network:
// "backend", Aliases: []string{"db"}}. See [engine.Endpoint] and [ParseNetwork].
type Endpoint = engine.Endpoint

// PodmanSpec holds the options that only Podman has, for Spec.Podman. See [engine.PodmanSpec].
type PodmanSpec = engine.PodmanSpec

// IDMappings are a user namespace's mappings, for PodmanSpec.IDMappings. See [engine.IDMappings].
type IDMappings = engine.IDMappings

// IDMap is one line of IDMappings. See [engine.IDMap].
type IDMap = engine.IDMap

// ArtifactVolume mounts an OCI artifact, for PodmanSpec.ArtifactVolumes. See [engine.ArtifactVolume].
type ArtifactVolume = engine.ArtifactVolume

// WindowsSpec holds the options of Windows containers, for Spec.Windows. See [engine.WindowsSpec].
type WindowsSpec = engine.WindowsSpec

// Port publishes a port of a container on the engine's host, for Spec.Ports:
// {Container: "80", Host: "8080"}. See [engine.Port] and [ParsePort].
type Port = engine.Port

// Mount puts files of the host, a volume, an image or memory into a container,
// for Spec.Mounts. Most are made with [Bind], [VolumeMount], [Tmpfs],
// [ImageMount] or [ParseMount]. See [engine.Mount].
type Mount = engine.Mount

// MountType is the kind of a [Mount]. See [engine.MountType].
type MountType = engine.MountType

// The kinds of mounts.
const (
	MountBind    = engine.MountBind
	MountVolume  = engine.MountVolume
	MountTmpfs   = engine.MountTmpfs
	MountImage   = engine.MountImage
	MountNpipe   = engine.MountNpipe
	MountOverlay = engine.MountOverlay
	MountRamfs   = engine.MountRamfs
	MountDevpts  = engine.MountDevpts
)

// Resources are the limits of a container, for Spec.Resources: {Memory: 512 *
// MiB, CPUs: 1.5}. See [engine.Resources].
type Resources = engine.Resources

// WeightDevice is the block I/O weight of one device, for Resources.BlkioWeightDevice. See [engine.WeightDevice].
type WeightDevice = engine.WeightDevice

// ThrottleDevice is a rate of one device, for Resources.BlkioDeviceReadBps and its siblings. See [engine.ThrottleDevice].
type ThrottleDevice = engine.ThrottleDevice

// Platform is an operating system, architecture and variant in their parts, as [ParsePlatform] returns. See [engine.Platform].
type Platform = engine.Platform

// Bytes is a size in bytes, everywhere: 512 * MiB. See [engine.Bytes] and [ParseBytes].
type Bytes = engine.Bytes

// Binary units, as container engines count.
const (
	KiB = engine.KiB
	MiB = engine.MiB
	GiB = engine.GiB
	TiB = engine.TiB
)
