// Package parity knows every member and option of docker-py and podman-py, its
// name in Berth and the conformance cases that show it, and renders
// docs/parity.md from them and from what those cases came to on each engine.
//
// The inventories in testdata are what the libraries themselves say
// (inventory.py prints it); a name without a row here is a failed test, and so
// is a row whose case does not exist. The results in docs/conformance are those
// of the last run that was taken over with cmd/parity -write.
package parity
