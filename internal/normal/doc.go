// Package normal holds what the engines have in common but no caller sees: it
// turns the strings of a Spec and the texts of an engine into values, and back,
// the same way for every engine.
//
// Everything here is a pure function of its arguments, safe for concurrent use,
// and safe against hostile input. It knows no wire type and speaks to nobody.
package normal
