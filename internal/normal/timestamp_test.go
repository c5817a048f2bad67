package normal

import (
	"testing"
	"time"
)

func TestTimestamp(t *testing.T) {
	for want, in := range map[string]time.Time{
		"0.000000000":            time.Unix(0, 0),
		"1767366245.000000001":   time.Unix(1767366245, 1),
		"1767366245.500000000":   time.Unix(1767366245, 5e8).UTC(),
		"-2.000000000":           time.Unix(-2, 5e8), // -1.5 s: not later than t
		"-1.000000000":           time.Unix(-1, 0),
		"-62135596800.000000000": {},
	} {
		if got := Timestamp(in); got != want {
			t.Errorf("%v: %s, want %s", in, got, want)
		}
	}
}
