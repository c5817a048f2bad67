package engine

import (
	"encoding/json"
	"math"
	"testing"
)

func TestParseBytes(t *testing.T) {
	parserTest(t, ParseBytes, map[string]Bytes{
		"0": 0, "1": 1, "-1": -1, "1024": 1024, "1k": KiB, "1K": KiB, "1kb": KiB, "1KB": KiB, "1KiB": KiB, "512m": 512 * MiB,
		"1.5g": 3 * GiB / 2, "2t": 2 * TiB, "3p": 3 * PiB, "3PiB": 3 * PiB, "7b": 7, "7B": 7, "0.5k": 512, "0g": 0, "0.0g": 0,
		"0.1g": 107374182, "1.0000000000000000001k": 1024, "8191p": 8191 * PiB, "9223372036854775807": math.MaxInt64, "007k": 7 * KiB,
	},
		"", " ", "k", "-2", "-1k", "+1", "1 k", " 1", "1 ", "1e3", "0x10", "1.5", "1.5b", "1.k", ".5k", "1..5k", "1.2.3k", "1kk", "1bb", "1bib", "1ki",
		"1e", "1q", "1mb ", "0.0001k", "8192p", "9223372036854775808", "1_000", "٣", "1k\x00", "NaN", "inf",
		"99999999999999999999999999999999999999999999999999999999999999999999999999k")
}

func TestBytesText(t *testing.T) {
	for b, want := range map[Bytes]string{
		0: "0", 1: "1", 1000: "1000", 1024: "1k", 1025: "1025", 3 * GiB / 2: "1536m", GiB: "1g", TiB: "1t", PiB: "1p", 1024 * PiB: "1024p",
		-1: "-1", -1024: "-1024", math.MaxInt64: "9223372036854775807", math.MinInt64: "-9223372036854775808",
	} {
		if got := b.String(); got != want {
			t.Errorf("Bytes(%d) is %q, want %q", int64(b), got, want)
		}
	}
}

func TestBytesJSON(t *testing.T) {
	for in, want := range map[string]Bytes{
		`"512m"`: 512 * MiB, `536870912`: 512 * MiB, `-1`: -1, `"-1"`: -1, `-1024`: -1024, `0`: 0, `null`: 7, ` 5 `: 5,
	} {
		b := Bytes(7)
		if err := json.Unmarshal([]byte(in), &b); err != nil || b != want {
			t.Errorf("%s: %v, %v; want %v", in, b, err, want)
		}
	}
	for _, in := range []string{`5.5`, `1e3`, `"x"`, `true`, `{}`, `[]`, `""`, `9223372036854775808`} {
		var b Bytes
		wantInvalid(t, json.Unmarshal([]byte(in), &b))
	}
	for b, want := range map[Bytes]string{GiB: `"1g"`, 1000: `1000`, -1: `-1`, 0: `0`, -2048: `-2048`} {
		if got, err := json.Marshal(b); err != nil || string(got) != want {
			t.Errorf("%d: %s, %v; want %s", int64(b), got, err, want)
		}
	}
}

func FuzzParseBytes(f *testing.F) {
	for _, s := range []string{"512m", "1.5g", "-1", "1.0000001k", "9223372036854775807"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := ParseBytes(s)
		if err != nil {
			wantInvalid(t, err)
			return
		}
		if again, err := ParseBytes(b.String()); err != nil || again != b {
			t.Fatalf("%q is %d, its text %q is %d, %v", s, int64(b), b, int64(again), err)
		}
	})
}

func FuzzBytesText(f *testing.F) {
	f.Add(int64(1 << 40))
	f.Fuzz(func(t *testing.T, n int64) {
		text, err := json.Marshal(Bytes(n))
		if err != nil {
			t.Fatal(err)
		}
		var b Bytes
		if err := json.Unmarshal(text, &b); err != nil || int64(b) != n {
			t.Fatalf("%d became %s became %d, %v", n, text, int64(b), err)
		}
		if n >= -1 {
			var again Bytes
			if err := again.UnmarshalText([]byte(b.String())); err != nil || again != b {
				t.Fatalf("%d: text %q became %d, %v", n, b, int64(again), err)
			}
		}
	})
}
