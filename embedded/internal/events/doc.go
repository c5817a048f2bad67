// Package events is the engine's event log: a bounded file of JSON lines to which
// every process of the engine appends, and which any of them can follow. It
// keeps no goroutine and no descriptor between two calls.
package events
