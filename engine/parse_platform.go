package engine

import (
	"strings"
)

// Platform is what an image is made for, in Go's words: linux, arm64, v8.
type Platform struct{ OS, Arch, Variant string }

// String is os[/arch[/variant]].
func (p Platform) String() string {
	s := p.OS
	if p.Arch != "" {
		s += "/" + p.Arch
		if p.Variant != "" {
			s += "/" + p.Variant
		}
	}
	return s
}

// ParsePlatform reads os[/arch[/variant]], such as "linux/arm64/v8". Case does not
// matter, and the kernel's names of architectures are replaced: x86_64 (amd64), aarch64
// (arm64), i386 and i686 (386), armhf (arm/v7), armel (arm/v6). Errors are InvalidErrors.
func ParsePlatform(s string) (Platform, error) {
	parts := strings.Split(strings.ToLower(s), "/")
	if len(parts) > 3 {
		return Platform{}, &InvalidError{Option: "platform", Value: s, Reason: "want os[/arch[/variant]]"}
	}
	for _, part := range parts {
		if !isName(part) {
			return Platform{}, &InvalidError{Option: "platform", Value: s, Reason: "want os[/arch[/variant]]"}
		}
	}
	parts = append(parts, "", "")
	p := Platform{parts[0], parts[1], parts[2]}
	switch p.Arch {
	case "x86_64", "x86-64":
		p.Arch = "amd64"
	case "aarch64":
		p.Arch = "arm64"
	case "i386", "i686":
		p.Arch = "386"
	case "armhf", "armel":
		if p.Variant == "" {
			p.Variant = map[string]string{"armhf": "v7", "armel": "v6"}[p.Arch]
		}
		p.Arch = "arm"
	}
	return p, nil
}
