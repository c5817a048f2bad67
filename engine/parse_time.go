package engine

import (
	"strconv"
	"strings"
	"time"
)

// ParseTail reads how many of the last lines of a log are wanted: "all" is nil, else a
// number. Errors are InvalidErrors.
func ParseTail(s string) (*int, error) {
	if s == "all" {
		return nil, nil
	}
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return nil, &InvalidError{Option: "tail", Value: s, Reason: "want all or a number of lines"}
	}
	return new(int(n)), nil
}

// Ago is the time d before now.
func Ago(d time.Duration) time.Time { return time.Now().Add(-d) }

// maxSeconds is the end of the year 9999, the last that RFC 3339 can write.
const maxSeconds = 253402300799

// ParseTime reads a point in time, as docker logs --since does:
//
//	2026-01-02T15:04:05.999999999Z   RFC 3339; without a zone it is local time, and the time of day may be cut short
//	1767366245.5                     seconds since 1970, with up to nine digits of fraction
//	1h30m                            a Go duration: that long ago (-1h30m: in that time)
//
// Errors are InvalidErrors.
func ParseTime(s string) (time.Time, error) {
	bad := func(reason string) (time.Time, error) {
		return time.Time{}, &InvalidError{Option: "time", Value: s, Reason: reason}
	}
	if whole, frac, point := strings.Cut(s, "."); isDigits(whole) && (!point || isDigits(frac)) {
		sec, err := strconv.ParseInt(whole, 10, 64)
		if err != nil || sec > maxSeconds {
			return bad("it is beyond the year 9999")
		}
		if len(frac) > 9 {
			return bad("it is finer than a nanosecond")
		}
		nsec, _ := strconv.ParseInt((frac + "000000000")[:9], 10, 64)
		return time.Unix(sec, nsec), nil
	}
	if d, err := time.ParseDuration(s); err == nil {
		return Ago(d), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	for _, layout := range [...]string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return bad("want RFC 3339, seconds since 1970, or a duration")
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
