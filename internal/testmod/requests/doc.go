// Package requests keeps docs/requests.md: the requests that each call of the
// facade makes of each kind of engine, as seen by [berth.WithTracer] in a run on
// a real engine.
//
// Its test compares the page with what the engine that the environment names
// was asked; with -update it rewrites that engine's section instead. Every method
// that takes a context has a row. It has no code of its own to import.
package requests
