// Package proto is what callers and monitors say to each other, over a unix stream
// socket: one connection is one call. The caller sends a [Request], the monitor answers with a [Response],
// both as JSON behind a length of four bytes; attach and exec go on with a stream
// of frames ([Frame]).
package proto
