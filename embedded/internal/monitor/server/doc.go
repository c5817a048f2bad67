// Package server is the monitor process: what is registered as the role
// berth-monitor. It owns one container: its first process, its terminal and pipes,
// its log, its network and cgroup while it runs, and what becomes of all that
// when it ends. Then the process ends too, or is another container's monitor next, if it is as it was
// before the first: see again_linux.go. What of a start takes the kernel's time is made beside what takes ours:
// see ahead_linux.go.
//
// All processes are started by the main goroutine, which init functions hold on the
// main thread, or forked with that thread as their parent: the kernel kills a container's processes when it ends.
package server
