package normal

import (
	"encoding/base64"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

func TestStatHeader(t *testing.T) {
	const text = `{"name":"mtab?>~","size":12,"mode":134218239,"mtime":"2026-01-02T03:04:05.6Z","linkTarget":"/proc/mounts"}`
	want := engine.PathStat{Name: "mtab?>~", Size: 12, Mode: fs.ModeSymlink | 0o777, ModTime: time.Date(2026, 1, 2, 3, 4, 5, 6e8, time.UTC), LinkTarget: "/proc/mounts"}
	for name, header := range map[string]string{
		"docker": base64.StdEncoding.EncodeToString([]byte(text)), "podman": base64.URLEncoding.EncodeToString([]byte(text)), "bare": base64.RawURLEncoding.EncodeToString([]byte(text)),
	} {
		got, err := StatHeader(header)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	for _, text := range []string{``, `{`, `[]`, `null`, `{}`, `{"name":1}`, `{"name":"x","size":-1}`, `{"name":"x","mode":-1}`, `{"name":"x","mode":4294967296}`, `{"name":"x","mtime":"y"}`, `{"name":"x"} x`} {
		if got, err := StatHeader(base64.StdEncoding.EncodeToString([]byte(text))); err == nil {
			t.Errorf("%s: %+v", text, got)
		}
	}
	for _, header := range []string{"", "!", "AAAA=AAAA", strings.Repeat("A", maxStatHeader+1)} {
		if got, err := StatHeader(header); err == nil {
			t.Errorf("%.20s: %+v", header, got)
		}
	}
}

func FuzzStatHeader(f *testing.F) {
	f.Add(`eyJuYW1lIjoibXRhYiIsInNpemUiOjEyLCJtb2RlIjoxMzQyMTgyMzl9`)
	f.Fuzz(func(t *testing.T, header string) {
		s, err := StatHeader(header)
		if err == nil && s.Size < 0 {
			t.Fatalf("%q: %+v", header, s)
		}
	})
}
