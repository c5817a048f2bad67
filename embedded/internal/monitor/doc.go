// Package monitor is the caller's side of the monitors: the small processes, one per
// container that runs or that somebody waits for, which own the container's first
// process, its output, its network and its end.
//
// A monitor is this program executed again in the role berth-monitor (package
// reexec), from a file that a container cannot write to, in a session and cgroup of its
// own: it outlives the program that started it. What it does is in package
// monitor/server, what the two sides say to each other in monitor/proto.
//
// To a program that starts one container after the other within seconds, a monitor whose container has gone
// is of use again: it waits for the next one, and ends a few seconds later, or with the program. Until one has, the
// next is started in advance.
//
// A [Client] finds the monitor of a container by its socket, starts one where the
// call needs one, and recovers what a monitor that was killed has left. Between two
// calls it has no goroutine and no connection; one descriptor of the program's sealed
// file stays open until [Client.Close], and a socket to each of the last eight monitors, if they are to come back.
package monitor
