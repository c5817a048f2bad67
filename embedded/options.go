package embedded

import (
	"log/slog"
)

// Option is an option of [Open].
type Option func(*options)

// options are those of an engine. A zero value is the default.
type options struct {
	root, runRoot  string
	runtime        string
	monitor        string
	noForwardCheck bool
	log            *slog.Logger
	source         string
	user           *ordinary // this process is in the user namespace of an ordinary user; nil: it is not
}

// ordinary is what a process in the user namespace of an ordinary user knows of him.
type ordinary struct {
	UID, GID int
	Single   bool // he has no ID but his own
}

// WithRoot keeps images, containers, volumes and networks below an absolute
// directory. It must be on a file system that overlay can write to: not on
// another overlay. The default is /var/lib/berth, without privileges
// $XDG_DATA_HOME/berth. Every program that uses the directory sees the same
// containers.
func WithRoot(dir string) Option { return func(o *options) { o.root = dir } }

// WithRunRoot keeps what is lost with a reboot below an absolute directory: the
// sockets and locks of the monitors, addresses and ports. It belongs to one root:
// engines with different roots must have different run roots. The default is
// /run/berth, without privileges $XDG_RUNTIME_DIR/berth; with [WithRoot] alone it is
// a directory in that one's name below the default.
func WithRunRoot(dir string) Option { return func(o *options) { o.runRoot = dir } }

// WithRuntime starts containers with an OCI runtime that is installed on the
// machine, such as runc or crun, by its name or path, instead of the engine's own
// start path. Spec.Runtime says so for one container.
func WithRuntime(name string) Option { return func(o *options) { o.runtime = name } }

// WithMonitor runs the monitors from another program, which must import this
// package (the berth command does). It is for programs whose init functions
// must not run again in each monitor. The default is the program itself.
func WithMonitor(path string) Option { return func(o *options) { o.monitor = path } }

// WithoutForwardCheck starts containers on bridges although another tool's
// firewall rules drop what is forwarded for them; without it that is an error.
func WithoutForwardCheck() Option { return func(o *options) { o.noForwardCheck = true } }

// WithLogger gets what is worth telling. The default tells nothing.
func WithLogger(log *slog.Logger) Option { return func(o *options) { o.log = log } }
