package engine

import (
	"net/netip"
	"strings"
)

// ParseExtraHost reads a line of /etc/hosts in the form of docker run --add-host:
// NAME:ADDRESS or NAME=ADDRESS. The address may be host-gateway, and may stand in
// brackets, which are not part of the result. Errors are InvalidErrors.
func ParseExtraHost(s string) (name, address string, err error) {
	bad := func(reason string) (string, string, error) {
		return "", "", &InvalidError{Option: "extra host", Value: s, Reason: reason}
	}
	i := strings.IndexAny(s, ":=")
	if i < 0 {
		return bad("want NAME:ADDRESS")
	}
	name, address = s[:i], s[i+1:]
	if name == "" || strings.ContainsAny(name, " \t\r\n\v\f#\x00") {
		return bad("the name is empty or has a space or # in it")
	}
	if address == "host-gateway" {
		return name, address, nil
	}
	if strings.HasPrefix(address, "[") && strings.HasSuffix(address, "]") {
		address = address[1 : len(address)-1]
	}
	ip, parseErr := netip.ParseAddr(address)
	if parseErr != nil || ip.Zone() != "" {
		return bad("the address is neither an IP address nor host-gateway")
	}
	return name, address, nil
}
