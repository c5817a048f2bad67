// Package podman is the engine of Podman, over its own API (libpod), from Podman 4.0 on.
//
// Package berth opens it; it is of use alone where only Podman is wanted. It sends requests and reads answers, and nothing else: it keeps no state of the engine, runs no command, and does not pull images by itself.
//
// Every Podman ignores fields and parameters that it does not know. So each option here has the version from which on it works, and what the server in use would ignore is
// an [*engine.UnsupportedError]. Podman's Docker-compatible API, which drops more than that, is used in one place only: to wait for a container's next exit.
package podman
