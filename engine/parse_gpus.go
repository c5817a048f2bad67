package engine

import (
	"slices"
	"strconv"
	"strings"
)

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
	if slices.Contains(r.DeviceIDs, "") {
		return "a device ID is empty"
	}
	for _, set := range r.Capabilities {
		if slices.Contains(set, "") {
			return "a capability is empty"
		}
	}
	return ""
}
