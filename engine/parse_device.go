package engine

import (
	"slices"
	"strings"
)

// ParseDevice reads a device in the form of docker run --device:
// HOST[:CONTAINER][:PERMISSIONS], "/dev/fuse", "/dev/sda:/dev/xvda:r". A CDI name
// is an error that says so: see [IsCDIDevice]. Errors are InvalidErrors.
func ParseDevice(s string) (Device, error) {
	bad := func(reason string) (Device, error) {
		return Device{}, &InvalidError{Option: "device", Value: s, Reason: reason}
	}
	if IsCDIDevice(s) {
		return bad("it is a CDI name, which belongs to CDIDevices")
	}
	parts := strings.SplitN(s, ":", 4)
	d := Device{Host: parts[0]}
	if slices.Contains(parts[1:], "") {
		return bad("a part between colons is empty")
	}
	switch len(parts) {
	case 1:
	case 2:
		if strings.HasPrefix(parts[1], "/") {
			d.Container = parts[1]
		} else {
			d.Permissions = parts[1]
		}
	case 3:
		d.Container, d.Permissions = parts[1], parts[2]
	default:
		return bad("too many colons")
	}
	if reason := d.fault(); reason != "" {
		return bad(reason)
	}
	return d, nil
}

// fault is why d is malformed; "" if it is not.
func (d Device) fault() string {
	switch {
	case d.Host == "":
		return "the path on the host is missing"
	case !strings.HasPrefix(d.Host, "/"):
		return "the path on the host is not absolute"
	case d.Container != "" && !strings.HasPrefix(d.Container, "/"):
		return "the path in the container is not absolute"
	}
	return accessFault(d.Permissions)
}

// accessFault is why s is not a set of r, w and m; "" if it is one.
func accessFault(s string) string {
	for i := range len(s) {
		if !strings.Contains("rwm", s[i:i+1]) || strings.Contains(s[:i], s[i:i+1]) {
			return "permissions are r, w and m, each once"
		}
	}
	return ""
}

// IsCDIDevice tells that s has the form of a Container Device Interface name, vendor/class=device.
func IsCDIDevice(s string) bool {
	kind, name, ok := strings.Cut(s, "=")
	vendor, class, ok2 := strings.Cut(kind, "/")
	return ok && ok2 && isName(vendor) && isName(class) && name != "" && isName(strings.ReplaceAll(name, ":", "-"))
}
