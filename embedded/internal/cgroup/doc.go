// Package cgroup makes, limits, measures, freezes and removes the control groups of
// containers, on cgroup v1, on v2, and where both are mounted (hybrid).
//
// A [Group] is the same path in every hierarchy. Nobody is moved into it here but
// the calling thread ([MoveSelf]): the first process of a container joins by the
// "tasks" files of v1, which it writes itself ([Group.TasksFiles]), and by clone3
// into the directory of v2 ([Group.FD]). Writing cgroup.procs from outside waits for
// an RCU grace period, 11 ms on v1, and is never done.
//
// Limits come from an OCI configuration. They are translated into a list of files to
// write (settings_linux.go), the same for create, update and the question whether
// this machine can do it at all. An option without a file in this machine's cgroup
// version is an *engine.UnsupportedError naming option and controller; nothing is
// left out silently. A zero is a value: no limit.
//
// The package keeps no state beside the cgroups themselves, starts no goroutine that
// outlives a call, and never touches a cgroup that it was not given the path of, but
// that path's parents, which it makes and enables controllers in.
package cgroup
