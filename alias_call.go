package berth

import "github.com/berthdev/berth/engine"

// Filters narrow a list: every key must match, with any of its values. See
// [engine.Filters] and [ParseFilters].
type Filters = engine.Filters

// Size is that of a terminal, in characters: {Rows: 24, Cols: 80}. See [engine.Size].
type Size = engine.Size

// InspectOptions say what [Container.Inspect] looks up. See [engine.InspectOptions].
type InspectOptions = engine.InspectOptions

// StartOptions say how [Container.Start] starts. See [engine.StartOptions].
type StartOptions = engine.StartOptions

// StopOptions say how [Container.Stop] and [Container.Restart] stop. See [engine.StopOptions].
type StopOptions = engine.StopOptions

// RemoveOptions say how [Container.Remove] removes. See [engine.RemoveOptions].
type RemoveOptions = engine.RemoveOptions

// LogOptions say what of a log to read. See [engine.LogOptions].
type LogOptions = engine.LogOptions

// TopOptions say how [Container.Top] lists processes. See [engine.TopOptions].
type TopOptions = engine.TopOptions

// CommitOptions say how [Container.Commit] makes an image. See [engine.CommitOptions].
type CommitOptions = engine.CommitOptions

// Update says what [Container.Update] changes; nil fields are left as they are. See [engine.Update].
type Update = engine.Update

// WaitCondition is what [Container.Wait] waits for. See [engine.WaitCondition].
type WaitCondition = engine.WaitCondition

// The conditions of [Container.Wait]. Those after WaitRemoved are Podman's.
const (
	WaitNotRunning = engine.WaitNotRunning
	WaitNextExit   = engine.WaitNextExit
	WaitRemoved    = engine.WaitRemoved

	WaitCreated     = engine.WaitCreated
	WaitInitialized = engine.WaitInitialized
	WaitRunning     = engine.WaitRunning
	WaitStopped     = engine.WaitStopped
	WaitPaused      = engine.WaitPaused
	WaitExited      = engine.WaitExited
	WaitRemoving    = engine.WaitRemoving
	WaitHealthy     = engine.WaitHealthy
	WaitUnhealthy   = engine.WaitUnhealthy
)

// ArchiveOptions say how Container.GetArchive fetches. See [engine.ArchiveOptions].
type ArchiveOptions = engine.ArchiveOptions

// PutArchiveOptions say how Container.PutArchive unpacks. See [engine.PutArchiveOptions].
type PutArchiveOptions = engine.PutArchiveOptions

// EventOptions narrow [Client.Events]. See [engine.EventOptions].
type EventOptions = engine.EventOptions

// RegistryAuth are credentials for a registry. See [engine.RegistryAuth].
type RegistryAuth = engine.RegistryAuth

// PullPolicy says when an image is pulled. See [engine.PullPolicy].
type PullPolicy = engine.PullPolicy

// The pull policies.
const (
	PullMissing = engine.PullMissing
	PullAlways  = engine.PullAlways
	PullNever   = engine.PullNever
	PullNewer   = engine.PullNewer
)

// PullOptions say how an image is pulled. See [engine.PullOptions].
type PullOptions = engine.PullOptions

// PushOptions say how an image is pushed. See [engine.PushOptions].
type PushOptions = engine.PushOptions

// ImageListOptions narrow the list of images. See [engine.ImageListOptions].
type ImageListOptions = engine.ImageListOptions

// SaveOptions say how images are saved. See [engine.SaveOptions].
type SaveOptions = engine.SaveOptions

// ImportOptions say how an image is made of a tar. See [engine.ImportOptions].
type ImportOptions = engine.ImportOptions

// ImageRemoveOptions say how an image is removed. See [engine.ImageRemoveOptions].
type ImageRemoveOptions = engine.ImageRemoveOptions

// VolumeCreateOptions describe a new volume. See [engine.VolumeCreateOptions].
type VolumeCreateOptions = engine.VolumeCreateOptions

// NetworkCreateOptions describe a new network. See [engine.NetworkCreateOptions].
type NetworkCreateOptions = engine.NetworkCreateOptions

// Subnet is a range of addresses of a network. See [engine.Subnet].
type Subnet = engine.Subnet

// SecretCreateOptions describe a new secret. See [engine.SecretCreateOptions].
type SecretCreateOptions = engine.SecretCreateOptions

// Feature is something that not every engine, version or host has: see [Client.Supports]. See [engine.Feature].
type Feature = engine.Feature

// The features, named by what a caller would ask for.
const (
	FeatureInit            = engine.FeatureInit
	FeatureSecrets         = engine.FeatureSecrets
	FeaturePods            = engine.FeaturePods
	FeatureExecKill        = engine.FeatureExecKill
	FeatureHealthStart     = engine.FeatureHealthStart
	FeatureHealthStartup   = engine.FeatureHealthStartup
	FeatureHealthTimer     = engine.FeatureHealthTimer
	FeatureImageMount      = engine.FeatureImageMount
	FeatureVolumeSubpath   = engine.FeatureVolumeSubpath
	FeatureAnnotations     = engine.FeatureAnnotations
	FeatureCDI             = engine.FeatureCDI
	FeatureMultiNetwork    = engine.FeatureMultiNetwork
	FeatureUpdateRestart   = engine.FeatureUpdateRestart
	FeatureUpdateHealth    = engine.FeatureUpdateHealth
	FeatureUpdateZero      = engine.FeatureUpdateZero
	FeatureLinks           = engine.FeatureLinks
	FeaturePlatform        = engine.FeaturePlatform
	FeatureTopStream       = engine.FeatureTopStream
	FeatureWebsocketAttach = engine.FeatureWebsocketAttach
	FeatureCheckpoint      = engine.FeatureCheckpoint
	FeatureTimeout         = engine.FeatureTimeout
	FeatureTimezone        = engine.FeatureTimezone
	FeatureUmask           = engine.FeatureUmask
	FeatureMemorySwap      = engine.FeatureMemorySwap
	FeatureOOMKillDisable  = engine.FeatureOOMKillDisable
	FeatureArchiveCompress = engine.FeatureArchiveCompress
	FeatureHTTP            = engine.FeatureHTTP
)
