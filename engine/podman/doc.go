// Package podman is the engine of Podman, over its own API (libpod), from Podman 4.0 on.
//
// Package berth opens it; it is of use alone where only Podman is wanted. It sends requests and reads answers, and nothing else: it keeps no state of the engine, runs no command, and does not pull images by itself.
//
// Every Podman ignores fields and parameters that it does not know. So each option here has the version from which on it works, and what the server in use would ignore is
// an [*engine.UnsupportedError]. Podman's Docker-compatible API, which drops more than that, is used in one place only: to wait for a container's next exit.
//
// Where Podman does otherwise than Docker, this package does as Docker: a restart waits for the StopTimeout, a forced removal kills at once, images, volumes and networks are never removed together with containers
// that use them, a read-only container's /dev is writable, a tmpfs is noexec and begins empty, networks have names. What cannot be made the same:
//
//   - closing an attach with Stdin ends the container's standard input for good;
//   - archives of a path are owned by the container's user, and a path that is a symbolic link is followed;
//   - ExecKill's last resort, of engines since 4.8, makes the engine forget the exec;
//   - an update of Podman before 5.1 lasts until the container ends, and inspect does not show it;
//   - Podman 4.x with any of Spec.Ulimits raises nofile and nproc to 1048576 and 4194304 unless they are among them, which fails where the service may not;
//   - names of images are told with their registry: docker.io/library/busybox:latest. A new name without a registry gets localhost/.
package podman
