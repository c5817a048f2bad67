package berth

import "github.com/berthdev/berth/engine"

// Status is a container's state, the same words on every engine. See [engine.Status] and [Container.Status].
type Status = engine.Status

// The states.
const (
	StatusCreated     = engine.StatusCreated
	StatusInitialized = engine.StatusInitialized
	StatusRunning     = engine.StatusRunning
	StatusPaused      = engine.StatusPaused
	StatusRestarting  = engine.StatusRestarting
	StatusStopping    = engine.StatusStopping
	StatusRemoving    = engine.StatusRemoving
	StatusExited      = engine.StatusExited
	StatusDead        = engine.StatusDead
	StatusUnknown     = engine.StatusUnknown
)

// HealthStatus is a container's health in one word. See [engine.HealthStatus].
type HealthStatus = engine.HealthStatus

// The health states.
const (
	HealthNone      = engine.HealthNone
	HealthStarting  = engine.HealthStarting
	HealthHealthy   = engine.HealthHealthy
	HealthUnhealthy = engine.HealthUnhealthy
)

// Health is the state of a health check with its last results, as [Container.Health] returns. See [engine.Health].
type Health = engine.Health

// HealthResult is one run of a health check, as [Container.RunHealthcheck] returns. See [engine.HealthResult].
type HealthResult = engine.HealthResult

// Attrs is an immutable snapshot of a container, as [Container.Attrs] returns. See [engine.Attrs].
type Attrs = engine.Attrs

// State is Attrs.State: status, exit code, process, times, health. See [engine.State].
type State = engine.State

// Config is Attrs.Config: a container's portable configuration. See [engine.Config].
type Config = engine.Config

// HostConfig is Attrs.HostConfig: the configuration that belongs to the engine's host. See [engine.HostConfig].
type HostConfig = engine.HostConfig

// MountPoint is one of Attrs.Mounts. See [engine.MountPoint].
type MountPoint = engine.MountPoint

// EndpointState is one of Attrs.Networks: addresses, gateway, aliases. See [engine.EndpointState].
type EndpointState = engine.EndpointState

// PortBinding is a port as the engine has published it, as [Container.Ports] returns. See [engine.PortBinding].
type PortBinding = engine.PortBinding

// Summary is a container as the list shows it, as [Container.Summary] returns. See [engine.Summary].
type Summary = engine.Summary

// Change is a difference between a container's files and its image's, as [Container.Diff] returns. See [engine.Change].
type Change = engine.Change

// ChangeKind is what happened to a path. See [engine.ChangeKind].
type ChangeKind = engine.ChangeKind

// The kinds of changes.
const (
	ChangeModified = engine.ChangeModified
	ChangeAdded    = engine.ChangeAdded
	ChangeDeleted  = engine.ChangeDeleted
)

// PathStat tells about a path in a container, as Container.StatPath returns. See [engine.PathStat].
type PathStat = engine.PathStat

// Top is the list of a container's processes, as [Container.Top] returns. See [engine.Top].
type Top = engine.Top

// Process is one process of a [Top]. See [engine.Process].
type Process = engine.Process

// Stats is one sample of a container's use of resources, as [Container.Stats] yields. See [engine.Stats].
type Stats = engine.Stats

// CPUStats is part of [Stats]. See [engine.CPUStats].
type CPUStats = engine.CPUStats

// MemoryStats is part of [Stats]. See [engine.MemoryStats].
type MemoryStats = engine.MemoryStats

// PidsStats is part of [Stats]. See [engine.PidsStats].
type PidsStats = engine.PidsStats

// NetworkStats is part of [Stats], by interface. See [engine.NetworkStats].
type NetworkStats = engine.NetworkStats

// BlkioStats is part of [Stats]. See [engine.BlkioStats].
type BlkioStats = engine.BlkioStats

// BlkioEntry is one counter of [BlkioStats]. See [engine.BlkioEntry].
type BlkioEntry = engine.BlkioEntry

// Exit is how a container ended, as [Container.Wait] returns. See [engine.Exit].
type Exit = engine.Exit

// Identity is what an engine is and how it was found, as [Client.Engine] returns. See [engine.Identity].
type Identity = engine.Identity

// Version tells an engine's versions, as [Client.Version] returns. See [engine.Version].
type Version = engine.Version

// Info describes an engine and its host, as [Client.Info] returns. See [engine.Info].
type Info = engine.Info

// DiskUsage is what an engine keeps on disk, as [Client.DiskUsage] returns. See [engine.DiskUsage].
type DiskUsage = engine.DiskUsage

// DiskUsageItem is one object of [DiskUsage]. See [engine.DiskUsageItem].
type DiskUsageItem = engine.DiskUsageItem

// Event is something that happened, as [Client.Events] yields. See [engine.Event].
type Event = engine.Event

// PruneReport is what a prune removed. See [engine.PruneReport].
type PruneReport = engine.PruneReport

// UpdateResult is what [Container.Update] answers. See [engine.UpdateResult].
type UpdateResult = engine.UpdateResult

// ExecState is the state of a command run in a container. See [engine.ExecState].
type ExecState = engine.ExecState

// ImageAttrs is an image as inspect shows it. See [engine.ImageAttrs].
type ImageAttrs = engine.ImageAttrs

// ImageConfig is what an image says of the containers made of it. See [engine.ImageConfig].
type ImageConfig = engine.ImageConfig

// ImageSummary is an image as the list shows it. See [engine.ImageSummary].
type ImageSummary = engine.ImageSummary

// HistoryEntry is one step of an image's making. See [engine.HistoryEntry].
type HistoryEntry = engine.HistoryEntry

// ImageRemoveReport is what the removal of an image did. See [engine.ImageRemoveReport].
type ImageRemoveReport = engine.ImageRemoveReport

// PullProgress is how far a pull is, one total over all layers. See [engine.PullProgress].
type PullProgress = engine.PullProgress

// VolumeAttrs is a volume as inspect shows it. See [engine.VolumeAttrs].
type VolumeAttrs = engine.VolumeAttrs

// NetworkAttrs is a network as inspect shows it. See [engine.NetworkAttrs].
type NetworkAttrs = engine.NetworkAttrs

// NetworkContainer is a container in a network. See [engine.NetworkContainer].
type NetworkContainer = engine.NetworkContainer

// SecretAttrs is a secret, without its data. See [engine.SecretAttrs].
type SecretAttrs = engine.SecretAttrs
