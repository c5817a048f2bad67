// Package docker is the Docker Engine as an [engine.Engine]: it translates the neutral types into requests of the Docker Engine API, versions 1.40 to
// 1.51 (Docker 19.03 to 28), and its answers back.
//
// What the API version in use cannot say, and what the engine would accept and ignore, is an [*engine.UnsupportedError] before anything is created: the table of
// these is in gate.go and the files gate_*.go. Requests go through package internal/wire; no other package sees the wire types here.
//
// It is not for Podman's Docker-compatible API, which differs in many places: use package engine/podman. It finds no engine by itself: package berth does.
package docker
