// Package embedded is a container engine that is linked into the program: it
// runs containers on Linux where nothing is installed, without a daemon and
// without another program.
//
// Importing it for its side effect registers it, so that berth.New falls back to
// it when no other engine answers:
//
//	import _ "github.com/berthdev/berth/embedded"
//
// [Open] opens it with options, for berth.WithEngine.
//
// # What runs where
//
// The calling program creates containers and reads state; it forks nothing but monitors. Each
// running container has one small monitor process, which is this same program
// executed again (package internal/reexec): it forks the container's first
// process, keeps its logs, serves attach and exec on a unix socket, runs health
// checks, restarts and removes it, and holds a lock as long as it lives. So
// containers outlive the program that started them, and several programs share
// one state directory.
//
//	program ── embedded.Engine
//	   │ create: files only        start: spawn the monitor, wait for its answer
//	   ├── internal/image     names, blobs, layers; registries, archives, commit
//	   ├── internal/config    engine.Spec + image -> OCI config.json + state.Config
//	   ├── internal/state     the directories below, locks, names, events
//	   ├── internal/volume    named and anonymous volumes
//	   └── internal/network   bridges, addresses, ports, names
//	monitor (one per running container, internal/monitor)
//	   ├── internal/cgroup    v1, hybrid and v2
//	   ├── internal/launch    OCI config.json -> a list of system calls -> clone3
//	   │     or runc, crun    (WithRuntime)
//	   └── internal/seccomp   profile -> BPF
//
// # On disk
//
// Root (default /var/lib/berth, rootless $XDG_DATA_HOME/berth):
//
//	version                            "1": the format of this page
//	images/index.json, index.lock      names -> image IDs
//	images/gc.lock                     held shared (image.Store.Lease) while an image is added or a container made
//	blobs/sha256/HEX                   configs and manifests
//	layers/HEX/{diff/,layer.json,…}    an unpacked layer by diffID, or a copy for other users; made in layers/.tmp and renamed
//	containers/ID/config.json          OCI runtime configuration
//	containers/ID/container.json       state.Config: what the engine knows beside it; first of all its layers
//	containers/ID/lock                 flock for transitions; holds the ID, and as its time the last start without an end
//	containers/{.new,.dead}/ID         being made, being removed: nobody's when its lock is free
//	containers/ID/{upper,work}/        overlay
//	containers/ID/root/                where it is mounted for another runtime, and for copies while it does not run; made for that
//	containers/ID/log/…                json lines
//	containers/ID/monitor.log          what its monitors had to warn of; usually there is none
//	containers/ID/files/               hosts, hostname, resolv.conf, localtime, secrets/N, secretenv/VARIABLE
//	containers/ID/overlay/N/{upper,work}/  what a run writes to a mount of type overlay or a writable image
//	containers/ID/mounts/              where another runtime finds mounts that launch gets as descriptors
//	containers/ID/exit.json            state.Exit of the last run
//	names/NAME                         a link to containers/ID/lock, made with O_EXCL, names/.lock held
//	volumes/NAME/{data/,volume.json}
//	networks/NAME.json, lock
//	secrets/ID.json
//	events, events.lock                json lines, bounded
//
// Run (default /run/berth, rootless $XDG_RUNTIME_DIR/berth), below the boot ID,
// so that a reboot leaves every container exited:
//
//	BOOTID/ID/run.json                 state.Run: written by the monitor alone while it lives
//	BOOTID/ID/monitor.lock             held by the monitor for life: "is it running?" is one try-lock
//	BOOTID/ID/sock                     the monitor's socket
//	BOOTID/net/…                       addresses and ports in use
//
// A file is replaced by writing a temporary one beside it and renaming it.
//
// # Without root
//
// An ordinary user's engine makes containers in a user namespace, in which he is
// root. It has the IDs that /etc/subuid and /etc/subgid give him, where newuidmap
// and newgidmap are installed; otherwise his own alone: then all files of images
// belong to him, and no other user and no further group can be had inside
// (package internal/userns).
//
// Files of other IDs can be read, made and removed only in the namespace. So monitors
// run in it, one each, and see themselves as root there; and calls that touch such
// files (create, remove, copy, export, diff, commit, sizes; load, pull, push, save, import
// and removal of images; removal of volumes) are made by a worker, this program executed
// once more, which runs this same engine for one call and then ends. To look into a
// container that runs, or to share its namespaces, it takes the user namespace of
// its monitor: that one starts the worker, or the other monitor. The caller itself
// reads state, talks to monitors, and kills what outlives one.
//
// A container's root file system is an overlay with userxattr (Linux 5.11), its device
// nodes are the host's, bound, and layers are unpacked without device nodes. Its network comes from
// pasta or slirp4netns, found in PATH and started by the monitor, with which it ends;
// published ports are forwarded by the monitor. Without either the default
// network is an UnsupportedError that says so: NetworkMode none and host need none.
// PIDMode host binds the host's procfs, and ns:PATH takes namespaces of this engine's containers, no others.
//
// UsernsMode keep-id (and keep-id:uid=N,gid=N) gives the user his own number inside, and the container's
// process is he, whatever user the image names: his files in binds are his there. All other numbers are subordinate IDs around it. Since files
// of the image's root belong to him on the disk, and no ordinary user may mount with shifted owners, the container has copies of
// the image's layers with the owners that its users need: one for each layer and numbering, made at the first create, which stays as long as
// containers have it. Files that come and go (archives, commit) have the numbers of the inside. A new volume is his. Without subordinate IDs
// he is the only user inside: all files are his, and there is no root. No entry of /etc/passwd is made for him.
//
// Bridges and device rules are UnsupportedErrors, and so
// are limits, pause and stats without a cgroup: only a delegated one of v2 is the user's. With runc or crun
// (WithRuntime) Domainname is one too.
package embedded
