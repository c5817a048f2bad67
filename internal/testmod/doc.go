// Package testmod is the root of the module that holds what Berth's tests
// need and its users must not carry: the conformance runs on real engines, the
// oracles (the engines' own published types, the Python libraries), and the
// tools of continuous integration.
//
// Nothing here is part of Berth, and no module that users import may require
// this one: the root module's go.mod stays at golang.org/x/sys and go-cmp.
package testmod
