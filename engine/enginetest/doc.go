// Package enginetest is Berth's conformance suite: [Run] runs every case
// against one engine, real or embedded, through the facade of package berth, and
// records what each came to.
//
// A case shows an effect: what an option does is looked up in the container (or
// on its host), not read back from what inspect says. It ends in one of four ways:
//
//   - works: the effect was seen;
//   - unsupported: the engine cannot, and Berth said so with an
//     [engine.UnsupportedError] before anything was left running;
//   - untestable: the effect needs something that this host has not (a kernel
//     feature, a device, a journal); the case then checks the exact refusal;
//   - failed.
//
// Unsupported and untestable cases are skipped with the reason, never passed.
// Outcomes are written as JSON, of which docs/parity.md is generated.
//
// The suite is not a unit test of an engine package: those are beside the
// engine. It needs an engine that answers and an image with busybox in it.
package enginetest
