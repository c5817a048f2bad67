package engine

import (
	"strconv"
	"strings"
)

// ParseRestartPolicy reads "no", "always", "unless-stopped" and "on-failure[:N]",
// where N is how often at most. Errors are InvalidErrors.
func ParseRestartPolicy(s string) (RestartPolicy, error) {
	bad := func(reason string) (RestartPolicy, error) {
		return RestartPolicy{}, &InvalidError{Option: "restart policy", Value: s, Reason: reason}
	}
	name, count, hasCount := strings.Cut(s, ":")
	switch name {
	case "no", "always", "unless-stopped":
		if hasCount {
			return bad("only on-failure has a number of retries")
		}
	case "on-failure":
	default:
		return bad("want no, always, unless-stopped or on-failure[:N]")
	}
	p := RestartPolicy{Name: name}
	if hasCount {
		n, err := strconv.ParseUint(count, 10, 31)
		if err != nil {
			return bad("the number of retries is no whole number")
		}
		p.MaximumRetryCount = int(n)
	}
	return p, nil
}
