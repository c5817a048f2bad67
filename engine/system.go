package engine

import (
	"encoding/json"
	"time"
)

// Version tells versions.
type Version struct {
	Engine        string // docker, podman, embedded
	Version       string
	APIVersion    string
	MinAPIVersion string
	GitCommit     string
	GoVersion     string
	OS            string
	Arch          string
	KernelVersion string
	BuildTime     string
	Components    map[string]string // name -> version
	Raw           json.RawMessage
}

// Info describes an engine and its host.
type Info struct {
	ID                string
	Name              string // host name
	ServerVersion     string
	Containers        int
	ContainersRunning int
	ContainersPaused  int
	ContainersStopped int
	Images            int
	StorageDriver     string
	LoggingDriver     string
	CgroupDriver      string
	CgroupVersion     string // "1", "2"
	KernelVersion     string
	OperatingSystem   string
	OSType            string
	Arch              string
	NCPU              int
	MemTotal          Bytes
	RootDir           string
	DefaultRuntime    string
	Runtimes          []string
	LogDrivers        []string
	VolumeDrivers     []string
	NetworkDrivers    []string
	SecurityOptions   []string
	Rootless          bool
	SwapLimit         *bool
	OOMKillDisable    *bool
	Warnings          []string
	Raw               json.RawMessage
}

// DiskUsage is what an engine keeps on disk.
type DiskUsage struct {
	LayersSize Bytes
	Images     []DiskUsageItem
	Containers []DiskUsageItem
	Volumes    []DiskUsageItem
	Raw        json.RawMessage
}

// DiskUsageItem is the size of one object.
type DiskUsageItem struct {
	ID          string
	Name        string
	Size        Bytes
	SharedSize  Bytes
	Reclaimable bool // nothing uses it
}

// EventOptions narrow events.
type EventOptions struct {
	Since   time.Time // replay from here; zero is now
	Until   time.Time // end here; zero is never
	Filters Filters
}

// Event is something that happened.
type Event struct {
	Type   string // container, image, volume, network, …
	Action string // the same words on every engine: create, start, die, destroy, …
	Raw    string // the engine's own word (Podman: died, remove)
	ID     string
	Name   string
	// Image of a container.
	Image      string
	ExitCode   *int // of die
	Attributes map[string]string
	Scope      string
	Time       time.Time
	RawJSON    json.RawMessage
}
