package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseTail(t *testing.T) {
	parserTest(t, ParseTail, map[string]*int{"all": nil, "0": new(0), "10": new(10)}, "", "-1", "x", "1.5", "ALL", "+1", "2147483648")
}

func TestParseTime(t *testing.T) {
	parserTest(t, ParseTime, map[string]time.Time{
		"2026-01-02T15:04:05Z":           time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC),
		"2026-01-02T15:04:05.5+02:00":    time.Date(2026, 1, 2, 13, 4, 5, 5e8, time.UTC),
		"2026-01-02T15:04:05.123456789Z": time.Date(2026, 1, 2, 15, 4, 5, 123456789, time.UTC),
		"2026-01-02T15:04:05":            time.Date(2026, 1, 2, 15, 4, 5, 0, time.Local),
		"2026-01-02T15:04":               time.Date(2026, 1, 2, 15, 4, 0, 0, time.Local),
		"2026-01-02":                     time.Date(2026, 1, 2, 0, 0, 0, 0, time.Local),
		"0":                              time.Unix(0, 0),
		"1767366245":                     time.Unix(1767366245, 0),
		"1767366245.5":                   time.Unix(1767366245, 5e8),
		"1767366245.000000001":           time.Unix(1767366245, 1),
		"253402300799":                   time.Unix(maxSeconds, 0),
	}, "", "x", "-1", "-1.5", "1.", ".5", "1.2.3", "1.0000000001", "253402300800", "99999999999999999999", "2026-13-01", "2026-01-02 15:04:05", "1e9", "10 m", "now", "0x10")
}

func TestParseTimeAgo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for in, want := range map[string]time.Duration{"10m": 10 * time.Minute, "1h30m": 90 * time.Minute, "0s": 0, "-5s": -5 * time.Second, "1.5s": 1500 * time.Millisecond} {
			got, err := ParseTime(in)
			if err != nil || !got.Equal(time.Now().Add(-want)) || !got.Equal(Ago(want)) {
				t.Errorf("%q: %v, %v", in, got, err)
			}
		}
	})
}

func TestParseFilters(t *testing.T) {
	got, err := ParseFilters([]string{"label=a=b", "label=c", "name=x", "status="})
	if diff := cmp.Diff(Filters{"label": {"a=b", "c"}, "name": {"x"}, "status": {""}}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, s := range []string{"", "label", "=x"} {
		_, err := ParseFilters([]string{s})
		wantInvalid(t, err)
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add("1767366245.5", "all", "label=a=b")
	f.Add("1h30m", "10", "x")
	f.Fuzz(func(t *testing.T, s, tail, filter string) {
		if _, err := ParseTime(s); err != nil {
			wantInvalid(t, err)
		}
		if n, err := ParseTail(tail); err != nil {
			wantInvalid(t, err)
		} else if n != nil && *n < 0 {
			t.Fatalf("%q: %d", tail, *n)
		}
		if k, v, err := ParseFilter(filter); err != nil {
			wantInvalid(t, err)
		} else if k+"="+v != filter {
			t.Fatalf("%q: %q, %q", filter, k, v)
		}
	})
}
