// Package config turns an engine.Spec and an image into what a container is on
// disk: an OCI runtime configuration, a state.Config, and files (hosts, hostname,
// resolv.conf, secrets).
//
// [Check] names everything in a Spec that cannot be done on a host before anything is
// made. [Build] does it, as Docker 28 does where Docker has the option, and as Podman
// does where only Podman has it. [StartSpec] resolves at every start what may have
// changed since: users, other containers' namespaces, paths in volumes. [ApplyUpdate]
// changes a configuration, and [ExecProcess] makes a further process of it.
//
// Nothing that is set in a Spec is dropped: what cannot be done is an
// *engine.UnsupportedError with the option's name, what is malformed an
// *engine.InvalidError.
//
// The package mounts nothing, starts nothing and writes no file; it reads the image's
// layers, the host's devices and CDI specifications. What it does not know itself
// (volumes, secrets, other containers, images) it asks the caller's functions for.
package config
