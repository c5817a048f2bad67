// Package envtest makes a clientconfig.Env out of maps, so that tests of what
// is looked up in a user's environment need no environment.
//
// It is for tests only and runs nothing.
package envtest
