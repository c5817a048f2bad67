package registryauth

import (
	"net/netip"
	"strconv"
	"strings"
)

// The grammar is that of docker's references. Each function judges one part.

// validHost judges a registry's name: labels of letters, digits and inner
// hyphens between dots, or an IPv6 address in brackets; then perhaps a port.
func validHost(s string) bool {
	name, port, hasPort := strings.Cut(s, ":")
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return false
		}
		ip, err := netip.ParseAddr(s[1:end])
		if err != nil || !ip.Is6() || ip.Zone() != "" {
			return false
		}
		port, hasPort = strings.CutPrefix(s[end+1:], ":")
		if !hasPort {
			return port == ""
		}
	} else {
		for label := range strings.SplitSeq(name, ".") {
			if label == "" || label[0] == '-' || label[len(label)-1] == '-' || !only(label, alnum+upper+"-") {
				return false
			}
		}
	}
	if !hasPort {
		return true
	}
	_, err := strconv.ParseUint(port, 10, 16)
	return err == nil
}

const (
	digits = "0123456789"
	alnum  = "abcdefghijklmnopqrstuvwxyz" + digits
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// only tells whether s has no other characters than those of set.
func only(s, set string) bool { return !strings.ContainsFunc(s, notIn(set)) }

func notIn(set string) func(rune) bool {
	return func(r rune) bool { return !strings.ContainsRune(set, r) }
}

// validPart judges one component of a repository's name: runs of lower-case
// letters and digits, between them one dot, one or two underscores, or hyphens.
func validPart(s string) bool {
	if s == "" || !strings.Contains(alnum, s[:1]) || !strings.Contains(alnum, s[len(s)-1:]) {
		return false
	}
	separator := ""
	for i := range len(s) {
		c := s[i : i+1]
		if !strings.Contains(alnum, c) {
			separator += c
			continue
		}
		switch {
		case separator == "", separator == ".", separator == "_", separator == "__", strings.Trim(separator, "-") == "":
			separator = ""
		default:
			return false
		}
	}
	return true
}

// validTag judges a tag: up to 128 word characters, dots and hyphens, of which
// the first is a word character.
func validTag(s string) bool {
	return s != "" && len(s) <= 128 && s[0] != '.' && s[0] != '-' && only(s, alnum+upper+"_.-")
}

// validDigest judges algorithm:hex. The algorithms that anyone uses have their
// lengths checked; another must have at least 32 digits.
func validDigest(s string) bool {
	algorithm, hex, ok := strings.Cut(s, ":")
	if !ok || !only(hex, digits+"abcdefABCDEF") || algorithm == "" {
		return false
	}
	switch algorithm {
	case "sha256":
		return len(hex) == 64
	case "sha384":
		return len(hex) == 96
	case "sha512":
		return len(hex) == 128
	}
	for part := range strings.FieldsFuncSeq(algorithm, func(r rune) bool { return strings.ContainsRune("-_+.", r) }) {
		if !only(part, alnum+upper) || strings.Contains(digits, part[:1]) {
			return false
		}
	}
	return len(hex) >= 32 && only(algorithm, alnum+upper+"-_+.")
}
