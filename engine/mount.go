package engine

import "io/fs"

// MountType is the kind of a mount.
type MountType string

// The kinds of mounts. Which of them an engine has is its own business: the
// others are an UnsupportedError.
const (
	MountBind    MountType = "bind"
	MountVolume  MountType = "volume"
	MountTmpfs   MountType = "tmpfs"
	MountImage   MountType = "image"
	MountNpipe   MountType = "npipe"
	MountOverlay MountType = "overlay" // Podman: an overlay over a host directory
	MountRamfs   MountType = "ramfs"   // Podman
	MountDevpts  MountType = "devpts"  // Podman
)

// Mount puts files of the host, a volume, an image or memory into the container.
type Mount struct {
	// Type is the kind of the mount.
	Type MountType `json:"type"`
	// Source is a host path (bind), a volume's name ("" for an anonymous one), an image, or a pipe. Empty for tmpfs.
	Source string `json:"source,omitzero"`
	// Target is the absolute path in the container.
	Target string `json:"target"`
	// ReadOnly forbids writing.
	ReadOnly bool `json:"readOnly,omitzero"`

	// Propagation of a bind: private, rprivate, shared, rshared, slave, rslave.
	Propagation string `json:"propagation,omitzero"`
	// Relabel is the SELinux relabelling: "shared" (z) or "private" (Z).
	Relabel string `json:"relabel,omitzero"`
	// Chown gives the source to the container's user (U). Podman.
	Chown bool `json:"chown,omitzero"`
	// NonRecursive binds without the mounts below the source.
	NonRecursive bool `json:"nonRecursive,omitzero"`
	// CreateSource makes the missing source directory of a bind, as docker run -v does. Without it a missing source is an error.
	CreateSource bool `json:"createSource,omitzero"`
	// Consistency is accepted for macOS: consistent, cached, delegated.
	Consistency string `json:"consistency,omitzero"`

	// NoCopy keeps the image's content out of a new volume.
	NoCopy bool `json:"noCopy,omitzero"`
	// Subpath of a volume or image.
	Subpath string `json:"subpath,omitzero"`
	// Labels, Driver and DriverOptions are those of a volume that is created with the container.
	Labels        map[string]string `json:"labels,omitzero"`
	Driver        string            `json:"driver,omitzero"`
	DriverOptions map[string]string `json:"driverOptions,omitzero"`

	// Size and Mode of a tmpfs. A nil Mode is 01777, but where the runtime is runc before 1.2, that of the image's directory if it has one; another Mode than that is unsupported there.
	Size Bytes        `json:"size,omitzero"`
	Mode *fs.FileMode `json:"mode,omitzero"` // permission and sticky bits as in chmod(2): 0o1777
	// Options are further mount options: "noexec", "nosuid", "nodev", "uid=1000".
	Options []string `json:"options,omitzero"`
}

// Bind mounts a file or directory of the engine's host.
func Bind(source, target string) Mount { return Mount{Type: MountBind, Source: source, Target: target} }

// Volume mounts a named volume, created if missing; name "" is an anonymous one.
func Volume(name, target string) Mount { return Mount{Type: MountVolume, Source: name, Target: target} }

// Tmpfs mounts memory.
func Tmpfs(target string) Mount { return Mount{Type: MountTmpfs, Target: target} }

// ImageMount mounts the files of an image, read-only. With the option rw Podman puts a layer to write to on top.
func ImageMount(image, target string) Mount {
	return Mount{Type: MountImage, Source: image, Target: target}
}
