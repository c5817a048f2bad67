// Package fakeregistry is a container registry in memory, as much of one as the
// engines' pull and push take, for the tests of packages engine/docker and
// engine/podman and of the command. It is no registry for anything else: it checks nothing of what
// it is given.
package fakeregistry
