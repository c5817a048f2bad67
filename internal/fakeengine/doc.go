// Package fakeengine is a container engine in memory, for the tests of package
// berth: its containers run Go functions instead of programs, and every call can
// be made to fail. Containers, attach, waiters, logs and execs behave as those of
// the real engines do in what the tests rely on.
//
// It is no engine for anything else: it has no images but their names, no files
// and no networks.
package fakeengine
