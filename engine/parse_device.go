package engine

import (
	"strconv"
	"strings"
)

// ParseUlimit reads "nofile=1024:2048" (soft, hard) and "nofile=1024" (both); -1 is
// unlimited. The name becomes lower case and loses RLIMIT_. Errors are InvalidErrors.
func ParseUlimit(s string) (Ulimit, error) {
	bad := func(reason string) (Ulimit, error) {
		return Ulimit{}, &InvalidError{Option: "ulimit", Value: s, Reason: reason}
	}
	name, values, ok := strings.Cut(s, "=")
	if !ok {
		return bad("want NAME=SOFT[:HARD]")
	}
	soft, hard, two := strings.Cut(values, ":")
	if !two {
		hard = soft
	}
	u := Ulimit{Name: ulimitName(name)}
	var errSoft, errHard error
	u.Soft, errSoft = strconv.ParseInt(soft, 10, 64)
	u.Hard, errHard = strconv.ParseInt(hard, 10, 64)
	if errSoft != nil || errHard != nil {
		return bad("a limit is not a whole number")
	}
	if reason := u.fault(); reason != "" {
		return bad(reason)
	}
	return u, nil
}

// ulimitName is a limit's name in lower case without RLIMIT_.
func ulimitName(name string) string {
	return strings.TrimPrefix(strings.ToLower(name), "rlimit_")
}

// fault is why u is malformed; "" if it is not.
func (u Ulimit) fault() string {
	name := ulimitName(u.Name)
	switch {
	case name == "":
		return "the name is missing"
	case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") != "":
		return "the name has other characters than letters"
	case u.Soft < -1 || u.Hard < -1:
		return "a limit is less than -1"
	case u.Hard != -1 && (u.Soft == -1 || u.Soft > u.Hard):
		return "the soft limit is above the hard one"
	}
	return ""
}

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
	for _, p := range parts[1:] {
		if p == "" {
			return bad("a part between colons is empty")
		}
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

// GPUs asks for count GPUs, -1 for all of them.
func GPUs(count int) DeviceRequest {
	return DeviceRequest{Count: count, Capabilities: [][]string{{"gpu"}}}
}

// ParseGPUs reads GPUs in the form of docker run --gpus: "all", a number, or
// comma-separated KEY=VALUE of count, device, driver, capabilities and options. Several devices
// are "device=0,1"; several capabilities stand in double quotes
// (`"capabilities=compute,utility"`), as do devices that are followed by other keys. Errors are InvalidErrors.
func ParseGPUs(s string) (DeviceRequest, error) {
	bad := func(reason string) (DeviceRequest, error) {
		return DeviceRequest{}, &InvalidError{Option: "GPUs", Value: s, Reason: reason}
	}
	fields, err := csvFields(s)
	if err != nil {
		return bad(err.Error())
	}
	r := DeviceRequest{}
	seen := map[string]bool{}
	last := ""
	for _, field := range fields {
		key, value, ok := strings.Cut(field, "=")
		switch {
		case !ok && last == "device":
			r.DeviceIDs = append(r.DeviceIDs, key)
			continue
		case !ok:
			key, value = "count", key
		}
		if last = key; seen[key] {
			return bad(key + " is given twice")
		}
		seen[key] = true
		if value == "" {
			return bad(key + " is empty")
		}
		switch key {
		case "count":
			if r.Count = -1; value != "all" {
				if r.Count, err = strconv.Atoi(value); err != nil || r.Count < -1 || r.Count == 0 {
					return bad("the count is neither a number above 0 nor all")
				}
			}
		case "device":
			r.DeviceIDs = strings.Split(value, ",")
		case "driver":
			r.Driver = value
		case "capabilities":
			r.Capabilities = [][]string{append(strings.Split(value, ","), "gpu")}
		case "options":
			r.Options = map[string]string{}
			for pair := range strings.SplitSeq(value, ",") {
				k, v, _ := strings.Cut(pair, "=")
				if k == "" {
					return bad("an option's key is empty")
				}
				r.Options[k] = v
			}
		default:
			return bad("unknown key " + key)
		}
	}
	if r.Capabilities == nil {
		r.Capabilities = [][]string{{"gpu"}}
	}
	if r.Count == 0 && r.DeviceIDs == nil {
		r.Count = 1 // as docker run has it
	}
	if reason := r.fault(); reason != "" {
		return bad(reason)
	}
	return r, nil
}

// fault is why r is malformed; "" if it is not.
func (r DeviceRequest) fault() string {
	if r.Count < -1 {
		return "the count is below -1"
	}
	if r.Count != 0 && len(r.DeviceIDs) > 0 {
		return "a count excludes device IDs"
	}
	for _, id := range r.DeviceIDs {
		if id == "" {
			return "a device ID is empty"
		}
	}
	for _, set := range r.Capabilities {
		for _, c := range set {
			if c == "" {
				return "a capability is empty"
			}
		}
	}
	return ""
}
