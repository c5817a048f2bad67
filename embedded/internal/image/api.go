//go:build linux

package image

import (
	"io"

	"github.com/berthdev/berth/embedded/internal/layer"
	"github.com/berthdev/berth/engine"
)

// Options say how a store is kept.
type Options struct {
	// Layer says how files are kept: owners and overlay's attributes.
	Layer layer.Options
	// LayersInUse lists the diffIDs that containers use. It is called with the store
	// locked exclusively, and must not call the store. Nil: none.
	LayersInUse func() ([]string, error)
	// NoSync leaves it to the kernel when files are written to the disk: a loss of power may then leave
	// damaged layers. For stores that do not outlive the machine.
	NoSync bool
}

// Image is an image of a store, as it was when it was looked up.
type Image struct {
	ID      string   // sha256:…
	Names   []string // full names, "docker.io/library/busybox:latest", sorted
	Digests []string // full names with a digest of a manifest, sorted
	Config  *ConfigFile
	DiffIDs []string // lowest first
	Parent  string   // ID of the image that it was committed of; may be gone
}

// PullOptions say how to pull. Only these: the policy is the caller's business.
type PullOptions struct {
	Platform string               // os/arch[/variant]; "" is this machine's
	AllTags  bool                 // every tag of the repository; the image returned is the last one
	Auth     *engine.RegistryAuth // nil is anonymous
	// Insecure accepts plain HTTP and unknown certificates. Of this machine's own addresses plain HTTP is accepted always.
	Insecure bool
	Progress func(engine.PullProgress) // not called concurrently
}

// PushOptions say how to push.
type PushOptions struct {
	AllTags  bool
	Auth     *engine.RegistryAuth
	Insecure bool
	Progress func(engine.PullProgress)
}

// InUse lists the containers that use an image. Nil says that none does.
type InUse func(imageID string) []string

// CommitOptions say how an image is made of a container.
type CommitOptions struct {
	Base *Image // nil: of nothing
	// Upper is the overlay upper directory of the container. Or Tar is the layer as a tar. With neither there is no new layer.
	Upper string
	Tar   io.Reader
	// Owners has the maps of the container's users: the layer has the owners that they see.
	Owners layer.Options
	// Config replaces Base's configuration when it is not nil; of Override all that is not zero then replaces that. Changes come last.
	Config   *engine.ImageConfig
	Override *engine.ImageConfig
	Changes  []string // Dockerfile instructions
	Message  string
	Author   string
	// CreatedBy is the command in the history.
	CreatedBy string
	Names     []string // of the new image; a missing tag is latest
	OCI       bool     // manifests of the OCI's media types when it is pushed or saved
}
