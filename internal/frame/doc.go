// Package frame reads and writes the multiplexed byte streams of container engines: the stdout and stderr of attach, exec and logs
// on one connection.
//
// Each frame is an 8-byte header and a payload. The header is {stream, 0, 0, 0, length}, the length 4 bytes in big-endian order, so
// a payload has at most 4 GiB - 1 bytes. Docker, and Podman's Docker-compatible and libpod endpoints, all speak this form; streams of
// containers with a TTY are not framed (but libpod's logs always are): which of the two a connection carries is for the caller to know.
//
// The package knows nothing of HTTP, connections, contexts or lines. Nothing in it is safe for concurrent use, and nothing needs closing.
package frame
