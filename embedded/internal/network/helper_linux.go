package network

// Helpers are the programs that give a container of an ordinary user its network, the preferred one first.
var Helpers = []string{"pasta", "slirp4netns"}
