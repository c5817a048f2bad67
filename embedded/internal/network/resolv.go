package network

import "net/netip"

// Server is the address of the name server inside of a container's namespace.
var Server = netip.AddrFrom4([4]byte{127, 0, 0, 11})

// ResolvInput is what /etc/resolv.conf says.
type ResolvInput struct {
	Host    []byte       // contents of the host's file
	DNS     []netip.Addr // of the container; empty is the host's
	Options []string     // of the container; nil is the host's
	Search  []string     // of the container; nil is the host's, "." is none
	// Own puts Server in, which forwards to the others.
	Own bool
}

// Resolv returns the contents of /etc/resolv.conf.
func Resolv(in ResolvInput) []byte { return nil }
