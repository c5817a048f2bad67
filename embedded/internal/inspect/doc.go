// Package inspect turns what the engine knows of a container into what callers
// see: [engine.Attrs] with Docker's inspect JSON, [engine.Summary], and lists with Docker's
// filters. It reads nothing but what it is given.
package inspect
