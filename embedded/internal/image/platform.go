//go:build linux

package image

import (
	"runtime"
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
)

// wanted is the platform to choose; "" is this machine's.
func wanted(platform string) (engine.Platform, error) {
	if platform == "" {
		return engine.Platform{OS: "linux", Arch: runtime.GOARCH}, nil
	}
	p, err := engine.ParsePlatform(platform)
	if err != nil {
		return p, err
	}
	if p.Arch == "" {
		p.Arch = runtime.GOARCH
	}
	return p, nil
}

// plainVariant is a variant with what stands for none taken away.
func plainVariant(p engine.Platform) string {
	if p.Arch == "arm64" && p.Variant == "v8" || p.Arch == "amd64" && p.Variant == "v1" {
		return ""
	}
	if p.Arch == "arm" && p.Variant == "" {
		return "v7"
	}
	return p.Variant
}

// fit says how well have does for want: the more the better, 0 not at all. An older
// variant of an architecture does, a newer one does not.
func fit(have, want engine.Platform) int {
	if have.OS != want.OS || have.Arch != want.Arch {
		return 0
	}
	h, w := plainVariant(have), plainVariant(want)
	if h == w {
		return 100
	}
	hn, wn := variantNumber(h), variantNumber(w)
	if hn < 0 || wn < 0 || hn > wn {
		return 0
	}
	return 1 + hn
}

// variantNumber is 7 for v7, 0 for none, -1 for what is not a number.
func variantNumber(v string) int {
	if v == "" {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimPrefix(v, "v"))
	if err != nil || n > 90 {
		return -1
	}
	return n
}
