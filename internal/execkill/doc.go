// Package execkill ends the process of an exec on engines that have no request
// for it: every Docker, and Podman where its own way is not wanted.
//
// It knows three ways, and takes the first that works:
//
//   - by process ID and pidfd, where the engine's process IDs are ours;
//   - by a kill in the container, where the engine tells the process's ID there (Podman);
//   - by a shell in the container that finds the process by a variable of its environment.
//
// Where none works the process lives on, and the error says so: nobody is told
// that a live process is dead. It never asks for more rights in the container than
// the process itself has, since the programs that it runs there are the image's.
package execkill
