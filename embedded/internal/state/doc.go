// Package state is the engine's directories: where things are, what they hold,
// and who may change them when. It starts nothing and mounts nothing.
//
// The rules: containers/ID/lock (flock) is held for every transition (create,
// start, remove, rename, update) by the process that makes it; while a monitor
// lives (monitor.lock is held) it alone writes run.json. State "running" with a
// free monitor.lock means that the monitor has died: [Dir.Recover] records it.
package state
