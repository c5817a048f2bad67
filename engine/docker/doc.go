// Package docker is the Docker Engine as an [engine.Engine]: it translates the neutral types into requests of the Docker Engine API, versions 1.40 to
// 1.51 (Docker 19.03 to 28), and its answers back.
//
// What the version of the API in use cannot say, and what the engine would accept and ignore, is an [*engine.UnsupportedError] before anything is
// created: refuse.go has the table for a new container, refuseUpdate the one for changes. Requests go through package internal/wire; the types of their bodies never leave this package.
//
// It is not for Podman's Docker-compatible API, which differs in many places: use package engine/podman. It finds no engine by itself: package berth does.
package docker
