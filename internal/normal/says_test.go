package normal

import (
	"regexp"
	"strings"
	"testing"
)

func TestSays(t *testing.T) {
	for _, c := range []struct {
		text, pattern string
		want          bool
	}{
		{"Error: No such image: x", "no such image", true},
		{"no such container: y", "no such (image|container)", true},
		{"no such volume", "no such (image|container)", false},
		{"repository a/b not found", "manifest unknown|repository * not found", true},
		{"repository not found", "repository * not found", false},
		{"is supported", "is (not |)supported", true},
		{"is not supported", "is (not |)supported", true},
		{"is hardly supported", "is (not |)supported", false},
		{"decode(): bad", `decode\(\)`, true},
		{"decode: bad", `decode\(\)`, false},
		{"volume a is being used, volume b is being used", "volume * is being used", true},
		{"aab", "ab", true},
		{"a(b", "a(b", false},
		{"x", "", true},
		{"abcabd", "(x|ab)d", true},
		{"one two three", "one*(four|three)", true},
		{"one two three", "(one|two)*one", false},
	} {
		if got := Says(c.text, c.pattern); got != c.want {
			t.Errorf("Says(%q, %q) = %v", c.text, c.pattern, got)
		}
	}
}

// FuzzSays holds Says against a regular expression of the same meaning.
func FuzzSays(f *testing.F) {
	for _, s := range [][2]string{{"no such image", "no such (image|x)|a*b"}, {"a1b", "a*b"}, {"", ""}, {"((", "("}, {`\(`, `\(|\\`}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, text, pattern string) {
		if len(text) > 200 || len(pattern) > 40 {
			t.Skip()
		}
		got := Says(text, pattern)
		for _, r := range pattern + text {
			if r > 126 || r < ' ' || strings.ContainsRune(`[]{}.+?^$\`, r) {
				t.Skip() // has a meaning of its own there, or another lower case
			}
		}
		if strings.ContainsAny(pattern, "()") && !balanced(pattern) {
			t.Skip()
		}
		re, err := regexp.Compile("(?i)" + strings.ReplaceAll(pattern, "*", ".*"))
		if err != nil {
			t.Skip()
		}
		if want := re.MatchString(text); got != want {
			t.Errorf("Says(%q, %q) = %v, the regular expression says %v", text, pattern, got, want)
		}
	})
}

func balanced(p string) bool {
	depth := 0
	for _, r := range p {
		switch r {
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				return false
			}
		}
	}
	return depth == 0
}
