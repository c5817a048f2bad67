// Package faults tests what becomes of calls when the engine fails under them:
// connections that are cut, engines that do not answer any more, that answer
// nonsense, that are killed. It does so against a scripted server of each API and
// through a proxy in front of the real engine that the environment names (see
// package conformance). It has no code of its own to import.
//
// BERTH_MAY_KILL=1 adds the test that kills that engine by SIGKILL and starts it
// again, which is for engines of scripts/engines only.
package faults
