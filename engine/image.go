package engine

import (
	"encoding/json"
	"time"
)

// RegistryAuth are credentials for a registry.
type RegistryAuth struct {
	Username      string `json:"username,omitzero"`
	Password      string `json:"password,omitzero"`
	IdentityToken string `json:"identitytoken,omitzero"`
	RegistryToken string `json:"registrytoken,omitzero"`
	ServerAddress string `json:"serveraddress,omitzero"`
}

// IsZero tells that there are none.
func (a RegistryAuth) IsZero() bool { return a == RegistryAuth{} }

// String hides the secrets.
func (a RegistryAuth) String() string {
	if a.IsZero() {
		return "no credentials"
	}
	return "credentials of " + a.Username + " for " + a.ServerAddress
}

// PullPolicy says when an image is pulled.
type PullPolicy string

// The policies.
const (
	PullMissing PullPolicy = "missing" // if it is not there; the default of Run, Start and Create
	PullAlways  PullPolicy = "always"  // the default of Images.Pull
	PullNever   PullPolicy = "never"
	PullNewer   PullPolicy = "newer" // if the registry has another one; a registry that cannot be reached is no error when the image is there
)

// PullOptions say how to pull.
type PullOptions struct {
	Platform string
	AllTags  bool
	Auth     *RegistryAuth // nil: looked up by the facade; an engine sends what it is given
	// TLSVerify nil is true; false accepts plain HTTP and unknown certificates. Podman and embedded: Docker decides by its daemon's configuration.
	TLSVerify *bool
	Policy    PullPolicy
	// Progress is called, not concurrently, as the pull goes on.
	Progress func(PullProgress)
}

// PullProgress is how far a pull is: one total over all layers.
type PullProgress struct {
	Status  string // the engine's words
	ID      string // the layer they are about
	Current int64  // bytes fetched, of all layers
	Total   int64  // bytes to fetch, of all layers known so far; 0 when not known
	Layers  int    // known so far
	Done    int    // of them complete
}

// Percent is 0 to 100; -1 when nothing is known yet.
func (p PullProgress) Percent() float64 {
	switch {
	case p.Total > 0:
		return min(100, 100*float64(p.Current)/float64(p.Total))
	case p.Layers > 0:
		return 100 * float64(p.Done) / float64(p.Layers)
	}
	return -1
}

// PushOptions say how to push.
type PushOptions struct {
	Auth      *RegistryAuth
	TLSVerify *bool
	AllTags   bool
	Progress  func(PullProgress)
}

// ImageConfig is what an image says of the containers made of it.
type ImageConfig struct {
	User         string            `json:"User,omitzero"`
	ExposedPorts []string          `json:"-"`
	Env          []string          `json:"Env,omitzero"`
	Entrypoint   []string          `json:"Entrypoint,omitzero"`
	Cmd          []string          `json:"Cmd,omitzero"`
	Volumes      []string          `json:"-"`
	WorkingDir   string            `json:"WorkingDir,omitzero"`
	Labels       map[string]string `json:"Labels,omitzero"`
	StopSignal   string            `json:"StopSignal,omitzero"`
	Healthcheck  *Healthcheck      `json:"-"`
}

// ImageAttrs is an image as inspect shows it.
type ImageAttrs struct {
	ID           string // sha256:…
	RepoTags     []string
	RepoDigests  []string
	Parent       string
	Comment      string
	Author       string
	Created      time.Time
	OS           string
	Architecture string
	Variant      string
	Size         Bytes
	Config       ImageConfig
	Layers       []string // diffIDs
	Raw          json.RawMessage
}

// ImageSummary is an image as the list shows it.
type ImageSummary struct {
	ID          string
	RepoTags    []string
	RepoDigests []string
	ParentID    string
	Created     time.Time
	Size        Bytes
	SharedSize  *Bytes
	Containers  *int
	Labels      map[string]string
	Dangling    bool
}

// ImageListOptions narrow the list of images.
type ImageListOptions struct {
	All     bool   // intermediate ones too
	Name    string // reference or repository
	Filters Filters
}

// HistoryEntry is one step of an image's making.
type HistoryEntry struct {
	ID        string
	Created   time.Time
	CreatedBy string
	Size      Bytes
	Comment   string
	Tags      []string
}

// SaveOptions say how to save.
type SaveOptions struct {
	Format string // docker-archive (default) or oci-archive (Podman and embedded)
}

// ImportOptions say how to import.
type ImportOptions struct {
	Reference string // name[:tag] of the new image
	Message   string
	Changes   []string // Dockerfile instructions
	Platform  string
}

// ImageRemoveOptions say how to remove an image.
type ImageRemoveOptions struct {
	Force   bool
	NoPrune bool // keep untagged parents
}

// ImageRemoveReport is what a removal did.
type ImageRemoveReport struct {
	Untagged []string
	Deleted  []string
}
