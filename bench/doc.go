// Package bench is the root of the module that measures Berth: its cost beside
// the same raw HTTP requests, its throughput and memory on large streams, and
// the size of programs that link it.
//
// It holds benchmarks, never tests: nothing in this repository passes or fails
// by how long it took.
package bench
