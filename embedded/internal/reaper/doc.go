// Package reaper is the init process of containers that want one (Spec.Init): a
// program of a few hundred bytes that makes the command its child, hands signals on to it,
// reaps orphans, and ends as the command does.
//
// It runs inside the container, where nothing of the host may be reached. So it is no
// part of the engine's own program, but a file of its own that is written
// beside the container's and mounted read-only: assembly of this package (reaper_ARCH.s) with the
// header of an executable put before it. It uses no memory beyond its first stack page or two and has one
// thread, whatever limits the container has.
//
// The command becomes the leader of a process group in the terminal's foreground. Its
// exit code is the reaper's, 128 and its number for a signal; 127 for a command that is not
// found in PATH and 126 for one that cannot be executed.
package reaper
