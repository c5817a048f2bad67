// Package transport tests the ways to an engine: TCP with and without TLS, ssh,
// how an engine is found, and the options of berth.New that concern connections.
// What streams is tried on the real engine that the environment names (see
// package conformance); all else needs none. It has no code of its own to import.
package transport
