// Package testenv is what tests with real containers of the embedded engine need:
// network and mount namespaces of their own, and an image made on the spot. It is
// for this project's own tests, on Linux, as root.
package testenv
