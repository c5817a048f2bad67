// Package testspec has the OCI configurations that tests of several packages begin with.
package testspec
