package engine

import (
	"context"
	"io"
	"iter"
	"net/http"
	"time"
)

// Engine is a container engine.
//
// All methods are safe for concurrent use. ctx governs the call and what it
// returns (a stream, an iterator, a waiter): when ctx is done, the call returns
// promptly with ctx's error and its connection is closed. There is no other
// time limit, but for the removal of what a failed call has made
// (CreateOptions.CleanupTimeout). A call reads nothing from an io.Reader that it was given
// once it has returned; a Read that blocks then is the reader's owner's to end.
//
// Arguments named id take a full ID, a unique prefix of one, or a name. Errors
// are those of this package: match them with [errors.Is]. A call that an engine
// does not have returns an [*UnsupportedError] whose Option is the call's name.
//
// An engine never modifies its arguments, writes to no file descriptor of the
// process, and keeps no goroutine while no call is in progress.
type Engine interface {
	// Identity tells what the engine is. It makes no request.
	Identity() Identity
	// Supports tells whether the engine, as it was found, has a feature. It makes no request.
	Supports(Feature) bool
	// Close releases idle connections and what the engine started for itself. Calls in progress fail. It is idempotent.
	Close() error

	System
	Containers
	Execs
	Images
	Volumes
	Networks
	Secrets
}

// System is the part of [Engine] that concerns the engine itself.
type System interface {
	Ping(ctx context.Context) error
	Version(ctx context.Context) (*Version, error)
	Info(ctx context.Context) (*Info, error)
	DiskUsage(ctx context.Context) (*DiskUsage, error)
	// Events yields what happens from now on, or from EventOptions.Since on, until EventOptions.Until, ctx's end or
	// the engine's. The subscription is made when iteration starts. The error is last; an engine that closes the stream without Until is io.ErrUnexpectedEOF.
	Events(ctx context.Context, opts EventOptions) iter.Seq2[Event, error]
	// Do sends a request of the engine's own API, with the API's path prefix where path starts with "/" and
	// contains no version. Any status is an answer, not an error. The caller closes the body. An engine without an HTTP API: UnsupportedError.
	Do(ctx context.Context, method, path string, body io.Reader, header http.Header) (*http.Response, error)
}

// Containers is the part of [Engine] that concerns containers.
type Containers interface {
	// ContainerCreate makes a container. Before the request, every option of spec that this engine cannot honour, or
	// accepts and ignores, is an UnsupportedError; a malformed one is an InvalidError. When the engine's answer warns that an option was
	// discarded, the container is removed and the same UnsupportedError returned, unless opts.AllowDiscarded.
	// On error nothing is left behind, else the error is an OrphanError. A missing image is ErrImageNotFound: nothing is pulled. A taken name is ErrConflict.
	// Networks that the engine cannot join at creation are connected before the call returns.
	ContainerCreate(ctx context.Context, spec *Spec, opts CreateOptions) (CreateResult, error)
	ContainerInspect(ctx context.Context, id string, opts InspectOptions) (*Attrs, error)
	ContainerExists(ctx context.Context, id string) (bool, error)
	// ContainerList is one request. Limit implies All.
	ContainerList(ctx context.Context, opts ListOptions) ([]Summary, error)
	// ContainerStart starts it; starting a running container succeeds. A command that is missing or not executable is ErrCommandNotFound or ErrCommandNotExecutable.
	ContainerStart(ctx context.Context, id string, opts StartOptions) error
	// ContainerStop and ContainerRestart wait opts.Timeout, else the container's StopTimeout. Stopping a stopped container succeeds.
	ContainerStop(ctx context.Context, id string, opts StopOptions) error
	ContainerRestart(ctx context.Context, id string, opts StopOptions) error
	// ContainerKill sends a signal, "" is SIGKILL. A stopped container is ErrNotRunning.
	ContainerKill(ctx context.Context, id, signal string) error
	ContainerPause(ctx context.Context, id string) error
	ContainerUnpause(ctx context.Context, id string) error
	// ContainerInit prepares the container up to, but without, running its command (state initialized). Podman and embedded.
	ContainerInit(ctx context.Context, id string) error
	// ContainerRename gives it a new name; to its own name is a success.
	ContainerRename(ctx context.Context, id, name string) error
	ContainerUpdate(ctx context.Context, id string, u Update) (UpdateResult, error)
	// ContainerRemove removes it. A running container without opts.Force is ErrConflict.
	ContainerRemove(ctx context.Context, id string, opts RemoveOptions) error
	// ContainerPrune removes stopped containers. The report holds what was removed also when the error is not nil.
	ContainerPrune(ctx context.Context, filters Filters) (PruneReport, error)
	// ContainerWait registers a wait and returns once the engine has it, so that a wait opened before ContainerStart
	// misses nothing. The caller must Close the Waiter.
	ContainerWait(ctx context.Context, id string, cond WaitCondition) (Waiter, error)
	// ContainerAttach connects to the container's streams. It returns once the engine has connected them, so that an
	// attach opened before ContainerStart misses no byte. Attaching to a container that has ended does not disturb it: it is ErrNotRunning (opts.Logs alone is served).
	ContainerAttach(ctx context.Context, id string, opts AttachOptions) (Stream, error)
	// ContainerLogs returns what the log driver kept: frames (package internal/frame) if LogReader.Multiplexed, else raw bytes. A driver that cannot be read is ErrUnsupported.
	ContainerLogs(ctx context.Context, id string, opts LogOptions) (LogReader, error)
	// ContainerResize sets the size of the container's terminal.
	ContainerResize(ctx context.Context, id string, size Size) error
	// ContainerStats yields samples of the containers, one after another as they come; with opts.Stream until ctx ends or the containers do, else one of each, of which a
	// running container's has CPU percent computed over two readings (unless opts.OneShot). No ids is all running containers.
	ContainerStats(ctx context.Context, ids []string, opts StatsOptions) iter.Seq2[Stats, error]
	// ContainerTop lists processes. A container that does not run is ErrNotRunning.
	ContainerTop(ctx context.Context, id string, opts TopOptions) (*Top, error)
	// ContainerDiff is empty, not nil, when nothing changed.
	ContainerDiff(ctx context.Context, id string) ([]Change, error)
	// ContainerCommit returns the new image's ID.
	ContainerCommit(ctx context.Context, id string, opts CommitOptions) (string, error)
	// ContainerExport streams the root file system as a tar. The caller closes it.
	ContainerExport(ctx context.Context, id string) (io.ReadCloser, error)
	// ContainerStatPath tells about a path in the container; a missing one is ErrNotFound. A symbolic link is described itself, with LinkTarget.
	ContainerStatPath(ctx context.Context, id, path string) (PathStat, error)
	// ContainerGetArchive streams a tar of path, which has path's base name as its root. The caller closes it.
	ContainerGetArchive(ctx context.Context, id, path string, opts ArchiveOptions) (io.ReadCloser, PathStat, error)
	// ContainerPutArchive unpacks a tar (plain or gzip) into the existing directory path; a missing one is ErrNotFound.
	ContainerPutArchive(ctx context.Context, id, path string, tar io.Reader, opts PutArchiveOptions) error
	// ContainerHealthcheck runs the health check now and returns its result, and updates the container's health where the engine does.
	ContainerHealthcheck(ctx context.Context, id string) (HealthResult, error)
}

// Execs is the part of [Engine] that concerns commands run in a container.
type Execs interface {
	// ExecCreate prepares a command and returns its ID. The container must run: else ErrNotRunning.
	ExecCreate(ctx context.Context, container string, spec ExecSpec) (string, error)
	// ExecStart runs it. With opts.Detach the Stream is nil and the command runs on its own; otherwise the Stream carries the streams that ExecSpec attached.
	ExecStart(ctx context.Context, id string, opts ExecStartOptions) (Stream, error)
	ExecInspect(ctx context.Context, id string) (*ExecState, error)
	// ExecResize sets the size of its terminal.
	ExecResize(ctx context.Context, id string, size Size) error
	// ExecKill ends the process (signal "" is SIGKILL; engines that have only their own way of ending accept "" alone). A nil error means that the process is
	// dead or the signal was delivered; where it lives on the error is an ExecAliveError.
	ExecKill(ctx context.Context, id, signal string) error
}

// ExecRunner is an [Engine] that can do two calls of [Execs] in one.
type ExecRunner interface {
	// ExecRun is ExecCreate and then ExecStart. With an error the ID is that of the exec which could not be started, and may be that of one that was never made
	// where ctx has ended; it is "" where there is none.
	ExecRun(ctx context.Context, container string, spec ExecSpec, opts ExecStartOptions) (string, Stream, error)
}

// Images is the part of [Engine] that concerns images.
type Images interface {
	// ImagePull pulls ref and returns the image's ID. Progress is reported through opts.Progress. An error inside the engine's stream is returned.
	ImagePull(ctx context.Context, ref string, opts PullOptions) (string, error)
	ImagePush(ctx context.Context, ref string, opts PushOptions) error
	ImageInspect(ctx context.Context, ref string) (*ImageAttrs, error)
	ImageExists(ctx context.Context, ref string) (bool, error)
	ImageList(ctx context.Context, opts ImageListOptions) ([]ImageSummary, error)
	ImageHistory(ctx context.Context, ref string) ([]HistoryEntry, error)
	// ImageLoad reads a docker-archive or oci-archive and returns the names, or IDs where there is no name, of the images in it.
	ImageLoad(ctx context.Context, tar io.Reader) ([]string, error)
	// ImageSave streams a docker-archive of the images. The caller closes it.
	ImageSave(ctx context.Context, refs []string, opts SaveOptions) (io.ReadCloser, error)
	// ImageImport makes an image of a root file system tar and returns its ID.
	ImageImport(ctx context.Context, tar io.Reader, opts ImportOptions) (string, error)
	// ImageTag gives source a further name.
	ImageTag(ctx context.Context, source, target string) error
	ImageRemove(ctx context.Context, ref string, opts ImageRemoveOptions) (ImageRemoveReport, error)
	ImagePrune(ctx context.Context, filters Filters) (PruneReport, error)
}

// Volumes is the part of [Engine] that concerns volumes.
type Volumes interface {
	VolumeCreate(ctx context.Context, opts VolumeCreateOptions) (*VolumeAttrs, error)
	VolumeInspect(ctx context.Context, name string) (*VolumeAttrs, error)
	VolumeList(ctx context.Context, filters Filters) ([]VolumeAttrs, error)
	VolumeRemove(ctx context.Context, name string, force bool) error
	// VolumePrune removes unused anonymous volumes, and named ones with the filter all=true, on every engine.
	VolumePrune(ctx context.Context, filters Filters) (PruneReport, error)
}

// Networks is the part of [Engine] that concerns networks.
type Networks interface {
	NetworkCreate(ctx context.Context, opts NetworkCreateOptions) (*NetworkAttrs, error)
	NetworkInspect(ctx context.Context, name string) (*NetworkAttrs, error)
	NetworkList(ctx context.Context, filters Filters) ([]NetworkAttrs, error)
	NetworkConnect(ctx context.Context, network, container string, ep Endpoint) error
	NetworkDisconnect(ctx context.Context, network, container string, force bool) error
	NetworkRemove(ctx context.Context, name string, force bool) error
	NetworkPrune(ctx context.Context, filters Filters) (PruneReport, error)
}

// Secrets is the part of [Engine] that concerns secrets. Docker has them for Swarm services only: UnsupportedError.
type Secrets interface {
	SecretCreate(ctx context.Context, name string, data []byte, opts SecretCreateOptions) (*SecretAttrs, error)
	SecretInspect(ctx context.Context, name string) (*SecretAttrs, error)
	SecretList(ctx context.Context, filters Filters) ([]SecretAttrs, error)
	SecretRemove(ctx context.Context, name string) error
}

// Stream is a duplex connection to a container or an exec. Read gives output,
// framed as in the Docker API's attach endpoint if Multiplexed, else raw. Write
// gives input. Read, Write and Close may be called concurrently. When the ctx it
// was opened with is done, it is closed and its methods return ctx's error.
type Stream interface {
	io.ReadWriteCloser
	// CloseWrite ends the input: the process reads end of file. Output goes on.
	CloseWrite() error
	// Multiplexed is false for a terminal.
	Multiplexed() bool
}

// LogReader reads a container's log. The caller closes it.
type LogReader interface {
	io.ReadCloser
	// Multiplexed tells that the bytes are frames; it is false for most engines' terminals.
	Multiplexed() bool
}

// Waiter waits for a condition that the engine was told of.
type Waiter interface {
	// Wait blocks until the condition holds, the engine fails, or the ctx of ContainerWait is done. It may be called again and then returns the same.
	Wait() (Exit, error)
	// Close gives up waiting and releases the connection. It is idempotent.
	Close() error
}

// Exit is how a container ended. Code is -1 where the condition that was waited for is not an end.
type Exit struct {
	Code  int
	Error string // the engine's words, e.g. why the start failed
}

// Identity is what an engine is.
type Identity struct {
	Name       string // docker, podman, embedded
	Version    string // "28.5.1"
	APIVersion string // the one in use: "1.51", "5.8.2"
	Host       string // where it is: unix:///var/run/docker.sock
	Source     string // how it was found: "DOCKER_HOST", "well-known socket", "WithHost"
	OS         string // linux, windows
	Arch       string // amd64, arm64
	// CgroupVersion is "1" or "2"; "" when the engine does not tell.
	CgroupVersion string
	Rootless      bool
	// Local tells that the engine's process IDs are ours: /proc/PID is the container's process.
	Local bool
}

// Feature is something that not every engine, version or host has.
type Feature string

// Features. They are named by what a caller would ask for.
const (
	FeatureInit            Feature = "container-init"   // Container.Init
	FeatureSecrets         Feature = "secrets"          // Secrets
	FeaturePods            Feature = "pods"             // PodmanSpec.Pod
	FeatureExecKill        Feature = "exec-kill"        // the engine itself can end an exec
	FeatureHealthStart     Feature = "start-interval"   // Healthcheck.StartInterval
	FeatureHealthStartup   Feature = "startup-health"   // Healthcheck.Startup
	FeatureHealthTimer     Feature = "health-timer"     // the engine runs health checks by itself
	FeatureImageMount      Feature = "image-mount"      // MountImage
	FeatureVolumeSubpath   Feature = "volume-subpath"   // Mount.Subpath of a volume
	FeatureAnnotations     Feature = "annotations"      // Spec.Annotations
	FeatureCDI             Feature = "cdi"              // Spec.CDIDevices
	FeatureMultiNetwork    Feature = "multi-network"    // several networks in one create request
	FeatureUpdateRestart   Feature = "update-restart"   // Update.RestartPolicy
	FeatureUpdateHealth    Feature = "update-health"    // Update.Healthcheck
	FeatureUpdateZero      Feature = "update-zero"      // a zero in Update takes effect
	FeatureLinks           Feature = "links"            // Spec.Links
	FeaturePlatform        Feature = "platform"         // Spec.Platform at create
	FeatureTopStream       Feature = "top-stream"       // TopOptions.Stream
	FeatureWebsocketAttach Feature = "websocket-attach" // AttachOptions.Websocket
	FeatureCheckpoint      Feature = "checkpoint"
	FeatureTimeout         Feature = "timeout"          // Spec.Timeout
	FeatureTimezone        Feature = "timezone"         // Spec.Timezone
	FeatureUmask           Feature = "umask"            // Spec.Umask
	FeatureMemorySwap      Feature = "memory-swap"      // the host accounts swap
	FeatureOOMKillDisable  Feature = "oom-kill-disable" // Resources.OOMKillDisable
	FeatureArchiveCompress Feature = "archive-compress" // ArchiveOptions.Compress
	FeatureHTTP            Feature = "http"             // Do
)

// CreateOptions say how a container is created.
type CreateOptions struct {
	// AllowDiscarded accepts that the engine or its kernel discards options: its words are in CreateResult.Warnings.
	AllowDiscarded bool
	// CleanupTimeout bounds the removal of a container whose creation failed half-way; 0 is 10 s.
	CleanupTimeout time.Duration
	// TerminalSize is that of a terminal from its beginning, where the engine has a word for it at the creation: else, and when zero, it is the engine's default until ContainerResize.
	TerminalSize Size
}

// CreateResult is a new container.
type CreateResult struct {
	ID       string
	Warnings []string
}

// InspectOptions say what to look up.
type InspectOptions struct {
	Size bool // compute SizeRw and SizeRootFs, which is slow
}

// Filters narrow a list: every key must match, with any of its values. Keys are
// the engine's own: label, name, status, ancestor, …
type Filters map[string][]string

// ListOptions narrow the list of containers.
type ListOptions struct {
	All     bool   // stopped ones too
	Limit   int    // the newest so many, stopped ones included; 0 is no limit
	Since   string // created after this container (name or ID)
	Before  string // created before it
	Filters Filters
	Size    bool // fill Summary.SizeRw and SizeRootFs
}

// StartOptions say how to start.
type StartOptions struct {
	DetachKeys string // Docker: for later attaches without keys of their own
}

// StopOptions say how to stop.
type StopOptions struct {
	// Timeout before the kill, whole seconds. Nil: the container's StopTimeout. Negative: never kill.
	Timeout *time.Duration
	// Signal instead of the container's StopSignal. Docker API >= 1.42 and embedded.
	Signal string
}

// RemoveOptions say how to remove.
type RemoveOptions struct {
	Force   bool // kill it first if it runs
	Volumes bool // its anonymous volumes too
	Link    bool // remove the link NAME/ALIAS instead (Docker)
	Depend  bool // the containers that depend on it too (Podman)
	// Timeout before the kill with Force, whole seconds. Nil: kill at once, on every engine.
	Timeout *time.Duration
}

// PruneReport is what a prune removed.
type PruneReport struct {
	Deleted   []string // IDs or names
	Reclaimed Bytes
	// Errors are the objects that could not be removed, by ID or name. The call's error joins them.
	Errors map[string]error
}

// WaitCondition is what to wait for.
type WaitCondition string

// The conditions. Which of the states of Podman an engine can wait for is its own business.
const (
	WaitNotRunning WaitCondition = "not-running" // ended, or never started; the default
	WaitNextExit   WaitCondition = "next-exit"   // the next end, from now on
	WaitRemoved    WaitCondition = "removed"

	// Podman's states.
	WaitCreated     WaitCondition = "created"
	WaitInitialized WaitCondition = "initialized"
	WaitRunning     WaitCondition = "running"
	WaitStopped     WaitCondition = "stopped"
	WaitPaused      WaitCondition = "paused"
	WaitExited      WaitCondition = "exited"
	WaitRemoving    WaitCondition = "removing"
	WaitHealthy     WaitCondition = "healthy"
	WaitUnhealthy   WaitCondition = "unhealthy"
)

// Known tells that c is one of the conditions above, whether or not the engine has it.
func (c WaitCondition) Known() bool {
	switch c {
	case WaitNotRunning, WaitNextExit, WaitRemoved, WaitCreated, WaitInitialized, WaitRunning, WaitStopped,
		WaitPaused, WaitExited, WaitRemoving, WaitHealthy, WaitUnhealthy:
		return true
	}
	return false
}

// AttachOptions say what to attach. With none of Stdin, Stdout and Stderr it is stdout and stderr.
type AttachOptions struct {
	Stdin  bool
	Stdout bool
	Stderr bool
	// Logs replays what was logged before the live stream.
	Logs bool
	// NoStream ends after Logs.
	NoStream   bool
	DetachKeys string // e.g. "ctrl-p,ctrl-q"; "" is the engine's default
	// Websocket uses Docker's websocket endpoint: output is one raw stream, stderr mixed in, and there is no half-close.
	Websocket bool
	// Created is the Spec of a container that the caller has created and that nobody has started: the engine then asks
	// for neither its state nor its terminal. Of any other container it must be nil.
	Created *Spec
}

// LogOptions say what to read of a log.
type LogOptions struct {
	// NoStdout and NoStderr leave a stream out. Leaving both out is an InvalidError.
	NoStdout   bool
	NoStderr   bool
	Follow     bool
	Timestamps bool // each line starts with an RFC 3339 time and a space
	Since      time.Time
	Until      time.Time
	Tail       *int // last lines; nil is all
}

// Size is that of a terminal, in characters.
type Size struct {
	Rows, Cols uint16
}

// ArchiveOptions say how to fetch an archive.
type ArchiveOptions struct {
	// Compress asks the engine for a gzip-compressed transfer; what the caller reads is the plain tar.
	Compress bool
}

// PutArchiveOptions say how to unpack an archive.
type PutArchiveOptions struct {
	// NoOverwriteDirNonDir makes it an error to replace a directory with a file and vice versa.
	NoOverwriteDirNonDir bool
	// CopyUIDGID gives everything to the container's user instead of the tar's owners.
	CopyUIDGID bool
}

// TopOptions say how to list processes.
type TopOptions struct {
	// Args of ps(1). Empty: Berth's fixed columns USER PID PPID %CPU ELAPSED TTY TIME COMMAND, typed in Top.Processes.
	Args []string
}

// CommitOptions say how to make an image of a container.
type CommitOptions struct {
	Repository string
	Tag        string
	Message    string
	Author     string
	// Pause the container meanwhile; nil is true.
	Pause *bool
	// Changes are Dockerfile instructions: "CMD [\"sh\"]", "ENV A=b".
	Changes []string
	// Conf overrides the image's configuration. Docker and embedded.
	Conf *ImageConfig
	// Format is docker or oci; "" is the engine's default, and docker where a Message needs it. Podman and embedded.
	Format string
	// Squash the layers into one. Podman.
	Squash bool
}

// ExecSpec is a command to run in a container.
type ExecSpec struct {
	Cmd          []string
	Env          map[string]string
	UnsetEnv     []string
	WorkingDir   string
	User         string // "" is the container's
	Privileged   bool
	TTY          bool
	AttachStdin  bool
	AttachStdout bool
	AttachStderr bool
	DetachKeys   string
}

// ExecStartOptions say how to start an exec.
type ExecStartOptions struct {
	Detach bool
	TTY    bool // as in ExecSpec
	Size   Size // of the terminal; zero is the engine's default
}

// ExecState is the state of an exec.
type ExecState struct {
	ID          string
	ContainerID string
	Running     bool
	// Started is false for an exec that never ran.
	Started bool
	// ExitCode is nil while it runs, and where the engine has lost it.
	ExitCode *int
	PID      int // in the engine's pid namespace; 0 when not known
	TTY      bool
	User     string
	Command  []string
}
