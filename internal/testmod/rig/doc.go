// Package rig is what the tests of transports and faults share: the engine that
// the environment names, a proxy in front of it that can be cut and stalled, a
// scripted server that speaks enough of the two APIs, certificates, and an ssh
// server on the loopback interface.
//
// It is for tests only. All that it opens it closes in the test's cleanup, and
// nothing of it reaches beyond this machine and its engines.
package rig
