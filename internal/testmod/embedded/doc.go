// Package embedded holds tests of the whole embedded engine through Berth's own
// API: its containers beside those of runc and of Docker, option by option, and
// attacks from inside of containers and by images.
//
// They need root, overlay and a static busybox, and run when BERTH_EMBEDDED is 1,
// in namespaces of their own. With BERTH_ENGINE_HOST set to the socket of a Docker
// that uses the same kernel, it is compared too (scripts/engines up docker28).
package embedded
