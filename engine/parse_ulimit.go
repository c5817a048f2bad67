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
