// Package conformance runs Berth's conformance suite, engine/enginetest, against
// the engine that the environment names:
//
//	BERTH_ENGINE       its name in the results, e.g. docker28
//	BERTH_ENGINE_HOST  where it is, e.g. unix:///run/x.sock
//	BERTH_ENGINE_ADDR  the address at which its published ports are dialled
//	BERTH_OUR_ADDR     the address under which it reaches us: a registry is served there
//	BERTH_SOAK         1: the long cases too; only: nothing else
//	BERTH_RESULTS      directory for the results
//	BERTH_ONLY         cases to run, separated by spaces; all by default
//	BERTH_RUNTIME      the OCI runtime of the embedded engine's containers; its own by default
//
// BERTH_ENGINE_HOST=embedded is the engine that is linked into the test: it runs in
// network and mount namespaces of its own, on a state directory and an image that the
// test makes, and the test needs root and a static busybox. With BERTH_ENGINE=embedded-rootless
// it is the engine of an ordinary user, whom the test makes up; it needs newuidmap, pasta, slirp4netns,
// runc and crun as well. testdata/rootless.txt lists the cases that such an engine refuses.
//
// scripts/test conformance sets them. It has no code of its own to import.
package conformance
