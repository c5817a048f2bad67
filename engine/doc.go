// Package engine is the one seam of Berth: the [Engine] interface that a
// container engine implements, and the neutral types that cross it.
//
// Package berth, the facade, decides what a call means and speaks only to this
// interface. Packages engine/docker, engine/podman and the embedded engine
// translate the neutral types into their own wire types and back; wire types
// never leave them. The interface is rich enough that a server speaking the
// Docker API could be written on it.
//
// The types here are inert data. A [Spec] says what a container is, an
// XxxOptions value says what one call does. The zero value of a field always
// means "not set: the engine decides"; where a zero means something the field
// is a pointer. What an engine cannot honour is an [*UnsupportedError] naming
// the option, never silence: see [Engine.ContainerCreate].
//
// Strings that people know from the command line have parsers here
// ([ParsePort], [ParseMount], [ParseBytes], [ParseEnv], …). They are strict:
// what they do not understand is an [*InvalidError].
//
// This package is not a client: it dials nothing. To use an engine, see package
// github.com/berthdev/berth.
package engine
