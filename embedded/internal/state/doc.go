// Package state is the engine's directories: where things are, what they hold,
// and who may change them when. It starts nothing and mounts nothing, and keeps
// no descriptor and no goroutine between two calls.
//
// The rules:
//
//   - containers/ID/lock (flock, [Store.Lock]) is held for every transition
//     (start, remove, rename, update) by the process that makes it;
//   - while a monitor lives ([Store.HoldMonitor]) it alone writes run.json;
//   - a run.json that says "running" while nobody holds monitor.lock means that
//     the monitor has died ([Snapshot.Lost]): whoever sees it lets the monitor's
//     package record it;
//   - names/.lock is held, for microseconds, by whoever makes or drops a name or
//     a container's directory.
//
// A container comes to be in containers/.new/ID and is renamed to containers/ID
// when it is complete; it goes by being renamed to containers/.dead/ID first.
// Whatever dies half-way leaves a directory in one of the two, whose lock is free,
// or a name of a container that is not there or is called otherwise: the next
// [Open] or [Store.Create] clears the former away, and the latter counts
// as no name.
//
// The lock file also holds the container's ID, so that a name can be a hard link
// of it, and as its time that of a start whose end nobody has written yet: without a
// run.json of this boot, such a container was running when the machine stopped.
package state
