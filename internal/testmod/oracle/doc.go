// Package oracle holds Berth against the Python libraries that it takes after:
// docker-py on Docker, podman-py on Podman. The same call on the same engine must
// give the same answer, and the same options the same container.
//
// The libraries run inside the root of an engine of scripts/engines that has them
// (docker28, podman58), as one process that evaluates the expressions which the
// tests send it (testdata/oracle.py). Where Berth differs by intent, the test
// names the place and the reason, and fails when the difference is gone.
//
// It runs on the engine that the environment names, as package conformance does,
// and has no code of its own to import.
package oracle
