// Package wire is HTTP to a container engine: requests over a pooled transport, hijacked connections, JSON bodies and streams, and the dialers for unix sockets, TCP, TLS, named pipes and ssh.
//
// It knows no engine: paths, API versions and the meaning of a status are the engine packages' matter. It has no timeout of its own, starts no goroutine that
// outlives a call (but for the reading side of pooled connections, which end after 3 idle seconds or with Close), and logs only to the logger it was given.
package wire
