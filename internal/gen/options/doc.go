// Command options writes docs/options.md: every field of a container's
// specification, with its JSON name, its type and what it means, out of the
// source of package engine. It is run in the root of the repository:
//
//	go run ./internal/gen/options
//
// It is part of the build of Berth, not of Berth. A test says when the page is
// out of date.
package main
