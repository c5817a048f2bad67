package engine

import (
	"strconv"
	"strings"
)

// DeviceCgroupRule is an element of Spec.DeviceCgroupRules, read.
type DeviceCgroupRule struct {
	Type         string // a (all), b (block) or c (character)
	Major, Minor *int64 // nil is *, any
	Access       string // of r, w, m; not empty
}

// ParseDeviceCgroupRule reads a rule of the kernel's device cgroup: "c 13:* rwm".
// Errors are InvalidErrors.
func ParseDeviceCgroupRule(s string) (DeviceCgroupRule, error) {
	bad := func(reason string) (DeviceCgroupRule, error) {
		return DeviceCgroupRule{}, &InvalidError{Option: "device cgroup rule", Value: s, Reason: reason}
	}
	kind, rest, _ := strings.Cut(s, " ")
	numbers, access, _ := strings.Cut(rest, " ")
	major, minor, ok := strings.Cut(numbers, ":")
	r := DeviceCgroupRule{Type: kind, Access: access}
	switch {
	case kind != "a" && kind != "b" && kind != "c":
		return bad("the type is none of a, b, c")
	case !ok:
		return bad("want TYPE MAJOR:MINOR ACCESS")
	case access == "":
		return bad("the access is missing")
	}
	if reason := accessFault(access); reason != "" {
		return bad(reason)
	}
	for _, n := range []struct {
		text string
		to   **int64
	}{{major, &r.Major}, {minor, &r.Minor}} {
		if n.text == "*" {
			continue
		}
		v, err := strconv.ParseUint(n.text, 10, 32)
		if err != nil {
			return bad("a device number is neither * nor a number")
		}
		*n.to = new(int64(v))
	}
	return r, nil
}
