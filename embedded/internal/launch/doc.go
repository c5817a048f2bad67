// Package launch starts the first process of a container, and further ones in it.
//
// It turns an OCI runtime configuration into a program: a list of raw system
// calls, built before anything runs. A child made by clone3 runs the program
// without any service of the Go runtime and ends in execve; when a step fails, the
// child reports the step and the error number, and the caller gets an [Error]
// naming the step. The list is data: [Program] prints it, tests compare it, and
// docs/security.md refers to it.
//
// # The order of a start, and why
//
// The image is hostile. A symbolic link in it (/etc, /proc, /dev, any mount point)
// may point anywhere, and another container may change a shared volume while this
// one starts. So:
//
//  1. Everything that has a path on the host is opened before the image is in
//     reach: the root file system, the sources of binds (open_tree, a detached
//     copy of the mount), namespaces, cgroups. The root file system and the network
//     namespace may have been made by the caller ([Ahead]), who hands their descriptors over.
//  2. Every file system of the container is made detached (fsopen, fsmount): proc,
//     sysfs, tmpfs, devpts, mqueue, cgroup. /dev is filled while nothing but its
//     descriptor can reach it.
//  3. The root is mounted over "/", pivot_root makes it the root, and the old root
//     is unmounted at once. From here on no path, however resolved, leads to the
//     host: not "..", not an absolute link, not "/..".
//  4. Mount points are resolved in the new root by a walker that opens one
//     component at a time without following links (walk_linux.go), and mounts are
//     attached to the descriptor it found, never to a path. /proc, /sys and /dev
//     and what is below them may not be links at all.
//  5. sysctls, masks and read-only paths are written and mounted through the
//     descriptor of the procfs made in 2 or by the walker, and their source is
//     the device node made in 2.
//  6. Every descriptor but the three standard ones and the two pipes to the parent
//     is closed before the working directory is entered, and the working directory
//     is checked to lie in the root.
//  7. Limits, groups, user, capabilities, seccomp, parent-death signal, execve.
//
// A process that joins a container (Exec) runs a program of the same kind, or is forked by a [Forker], which has
// joined before.
//
// The package keeps no state and forks: it belongs in the monitor process, not in
// the user's program. It does not create cgroups, networks or files of the
// container directory.
package launch
