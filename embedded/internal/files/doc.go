// Package files reads and writes the file system of a container as the container
// sees it: archives both ways, the state of a path, an export of all.
//
// A [View] is the root directory of a container: of a running or paused one that of its first
// process, mounts and all; of a stopped one an overlay and the container's mounts in a mount namespace
// of their own, which nothing but the View holds. Paths are resolved by the kernel inside of that root (openat2 with
// RESOLVE_IN_ROOT), so neither symbolic links nor renames by the container's processes lead out of it.
//
// It starts no process. The package is for Linux only.
package files
