package state

import (
	"maps"
	"time"

	"github.com/berthdev/berth/engine"
)

// Config is containers/ID/container.json: what the engine knows of a container
// beside its OCI config.json. It changes only under the container's lock.
type Config struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Created time.Time `json:"created"`

	// Spec is what was asked for, complete: rename and update change it too.
	Spec engine.Spec `json:"spec"`

	Image    string   `json:"image"`    // as given
	ImageID  string   `json:"imageID"`  // sha256:…
	Platform string   `json:"platform"` // linux/amd64
	Layers   []string `json:"layers"`   // diffIDs, lowest first
	// ExtraLayers are diffIDs that image mounts use: in use as Layers are.
	ExtraLayers []string `json:"extraLayers,omitzero"`
	// ImageConfig is what of the image's configuration inspect shows.
	ImageConfig engine.ImageConfig `json:"imageConfig"`
	// ImageVolumes and ImageHealthcheck are the image's too: engine.ImageConfig does not keep them in JSON.
	ImageVolumes     []string            `json:"imageVolumes,omitzero"`
	ImageHealthcheck *engine.Healthcheck `json:"imageHealthcheck,omitzero"`

	// Resolved values of what Spec leaves to image and engine.
	Path        string              `json:"path"`
	Args        []string            `json:"args"`
	StopSignal  int                 `json:"stopSignal"`
	StopTimeout time.Duration       `json:"stopTimeout"`
	Healthcheck *engine.Healthcheck `json:"healthcheck,omitzero"`
	// Account is whom the user's name means by the image's own files; nil where they tell nobody, or links lead to them. A start
	// takes it if the upper directory has none of them, and looks again otherwise.
	Account *Account `json:"account,omitzero"`

	Mounts   []Mount    `json:"mounts"`
	Networks []Endpoint `json:"networks"`
	// Netns: "" a new one, "host", "none", "container:ID" or "path:PATH".
	Netns string               `json:"netns"`
	Ports []engine.PortMapping `json:"ports"`
	// Exposed are the ports of image and Spec, published or not: "80/tcp", sorted.
	Exposed []string `json:"exposed,omitzero"`

	Log     Log    `json:"log"`
	Runtime string `json:"runtime"` // "" built in; runc, crun or a path
	Cgroup  string `json:"cgroup"`  // path below each hierarchy, without leading slash
	// Rootless and the user namespace's maps, when there is one.
	UIDMap []engine.IDMap `json:"uidMap,omitzero"`
	GIDMap []engine.IDMap `json:"gidMap,omitzero"`
	// Shifted says that the engine itself has no user namespace: the image's layers and volumes are mounted with their owners
	// shifted by the maps, and what is in the upper directory belongs to the container's own users.
	Shifted bool `json:"shifted,omitzero"`

	// Init says that the built-in reaper is the container's first process and runs Path as its child. OCI's
	// process.args are Path and Args without it: the monitor (or who writes a bundle for runc) puts it before them.
	Init bool `json:"init,omitzero"`
	// Volatile says that the upper directory need not survive a crash of the machine.
	Volatile bool `json:"volatile,omitzero"`

	// CDIEnv and CDIGroups are variables and groups that CDI devices add to the process.
	CDIEnv    []string `json:"cdiEnv,omitzero"`
	CDIGroups []uint32 `json:"cdiGroups,omitzero"`

	// StoppedByUser is set by stop and kill, cleared by start: restart policies heed it.
	StoppedByUser bool `json:"stoppedByUser,omitzero"`
}

// Labels are the image's and the Spec's, which win, as a map of the caller's own.
func (c *Config) Labels() map[string]string {
	list := make(map[string]string, len(c.ImageConfig.Labels)+len(c.Spec.Labels))
	maps.Copy(list, c.ImageConfig.Labels)
	maps.Copy(list, c.Spec.Labels)
	return list
}

// Label is one of Labels.
func (c *Config) Label(key string) (string, bool) {
	if v, ok := c.Spec.Labels[key]; ok {
		return v, true
	}
	v, ok := c.ImageConfig.Labels[key]
	return v, ok
}

// Account is a user as /etc/passwd and /etc/group have it.
type Account struct {
	UID    uint32   `json:"uid"`
	GID    uint32   `json:"gid"`
	Groups []uint32 `json:"groups,omitzero"` // GID among them
	Home   string   `json:"home"`
}

// Mount is a mount of a container with its source resolved.
type Mount struct {
	engine.MountPoint
	Anonymous bool `json:"anonymous,omitzero"` // goes with the container
	// Subpath is the part of Source that is mounted. It is resolved at each start, inside of Source.
	Subpath string `json:"subpath,omitzero"`
	// CreateSource makes the missing source of a bind at each start.
	CreateSource bool `json:"createSource,omitzero"`
	// Lower are the directories of an overlay, the topmost first: an image mount's.
	Lower []string `json:"lower,omitzero"`
	// Upper is the directory below the container's that takes what is written to the overlay; "" is read-only.
	Upper string `json:"upper,omitzero"`
}

// Endpoint is what was asked for in one network.
type Endpoint struct {
	engine.Endpoint
}

// Log is where output goes.
type Log struct {
	Driver   string `json:"driver"`   // json-file, none
	MaxSize  int64  `json:"maxSize"`  // bytes; 0 is no limit
	MaxFiles int    `json:"maxFiles"` // at least 1
}

// Run is BOOTID/ID/run.json: the state of a container that has been started
// since the boot. The monitor writes it.
type Run struct {
	Status    engine.Status  `json:"status"`    // running, paused, restarting, stopping, exited
	Monitor   int            `json:"monitor"`   // its pid
	PID       int            `json:"pid"`       // the container's first process
	StartTime uint64         `json:"startTime"` // of PID, in clock ticks since boot: pids are reused
	StartedAt time.Time      `json:"startedAt"`
	Restarts  int            `json:"restarts"`
	Health    *engine.Health `json:"health,omitzero"`
	// Execs: there have been some in this run. Which, the monitor knows.
	Execs bool `json:"execs,omitzero"`
	// Networks as they were set up.
	Networks map[string]engine.EndpointState `json:"networks"`
	Ports    []engine.PortBinding            `json:"ports"`
	Netns    string                          `json:"netns"` // path, for container:
	Error    string                          `json:"error,omitzero"`
}

// Exit is containers/ID/exit.json: how the last run ended.
type Exit struct {
	Code       int       `json:"code"`
	OOMKilled  bool      `json:"oomKilled"`
	Error      string    `json:"error,omitzero"` // why it could not be started
	StartedAt  time.Time `json:"startedAt"`      // zero: it has never run, and its status stays created
	FinishedAt time.Time `json:"finishedAt"`
	Restarts   int       `json:"restarts"`
	// MonitorLost: nobody was there to see the end.
	MonitorLost bool `json:"monitorLost,omitzero"`
}
