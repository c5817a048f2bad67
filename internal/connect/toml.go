package connect

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// table is a TOML table: its values are string, bool, table, []any, or a scalar
// of another kind as written.
type table map[string]any

// scalar is a number or a date, not interpreted.
type scalar string

// maxNesting bounds arrays and inline tables in each other.
const maxNesting = 64

// tomlReader reads as much of TOML as containers.conf uses: tables, dotted and
// quoted keys, the four kinds of strings, booleans, arrays and inline tables.
// Numbers and dates are kept as written. What it does not understand it leaves
// out up to the end of the line and notes: a file for another program with a
// newer syntax must not stop this one.
type tomlReader struct {
	s       string
	pos     int
	problem []int // numbers of the lines left out
}

// parseTOML returns the tree and the numbers of the lines that were left out.
func parseTOML(data []byte) (table, []int) {
	s := strings.TrimPrefix(string(data), "\ufeff")
	r := &tomlReader{s: strings.ReplaceAll(s, "\r\n", "\n")}
	root := table{}
	current := root
	for r.skipBlank(true); r.pos < len(r.s); r.skipBlank(true) {
		start := r.pos
		ok := false
		if r.s[r.pos] == '[' {
			current, ok = r.header(root)
		} else {
			ok = r.assignment(current, 0)
		}
		r.skipBlank(false)
		if !ok || (r.pos < len(r.s) && r.s[r.pos] != '\n') {
			r.problem = append(r.problem, 1+strings.Count(r.s[:start], "\n"))
			r.skipLine()
		}
	}
	return root, r.problem
}

// header reads [a.b] or [[a.b]] and returns the table that follows it. A table
// of an array, or one whose name is a value already, is thrown away.
func (r *tomlReader) header(root table) (table, bool) {
	array := strings.HasPrefix(r.s[r.pos:], "[[")
	closing := "]"
	r.pos++
	if array {
		r.pos++
		closing = "]]"
	}
	keys, ok := r.keys()
	if !ok || !strings.HasPrefix(r.s[r.pos:], closing) {
		return table{}, false
	}
	r.pos += len(closing)
	if array {
		return table{}, true
	}
	t := root.sub(keys)
	return t, t != nil
}

// assignment reads key = value into t.
func (r *tomlReader) assignment(t table, depth int) bool {
	keys, ok := r.keys()
	if !ok || !r.take('=') {
		return false
	}
	r.skipBlank(false)
	v, ok := r.value(depth)
	if !ok {
		return false
	}
	if t == nil {
		return true // below a header that was not understood
	}
	last := len(keys) - 1
	if t = t.sub(keys[:last]); t == nil {
		return false
	}
	t[keys[last]] = v
	return true
}

// sub is the table below t at the path, made where it is missing; nil where
// something else is in the way.
func (t table) sub(path []string) table {
	for _, key := range path {
		next, ok := t[key].(table)
		if !ok {
			if _, taken := t[key]; taken {
				return nil
			}
			next = table{}
			t[key] = next
		}
		t = next
	}
	return t
}

// keys reads a dotted key.
func (r *tomlReader) keys() ([]string, bool) {
	var keys []string
	for {
		r.skipBlank(false)
		key, ok := r.key()
		if !ok {
			return nil, false
		}
		keys = append(keys, key)
		r.skipBlank(false)
		if !r.take('.') {
			return keys, true
		}
	}
}

// key reads one bare or quoted key.
func (r *tomlReader) key() (string, bool) {
	if r.pos < len(r.s) && (r.s[r.pos] == '"' || r.s[r.pos] == '\'') {
		return r.line(r.s[r.pos])
	}
	start := r.pos
	for r.pos < len(r.s) && isBare(r.s[r.pos]) {
		r.pos++
	}
	return r.s[start:r.pos], r.pos > start
}

func isBare(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// value reads any value.
func (r *tomlReader) value(depth int) (any, bool) {
	if r.pos == len(r.s) || depth > maxNesting {
		return nil, false
	}
	rest := r.s[r.pos:]
	switch c := rest[0]; {
	case strings.HasPrefix(rest, `"""`), strings.HasPrefix(rest, `'''`):
		return r.block(rest[:3])
	case c == '"', c == '\'':
		return r.line(c)
	case c == '[':
		return r.array(depth)
	case c == '{':
		return r.inline(depth)
	}
	end := strings.IndexAny(rest, ",]}#\n")
	if end < 0 {
		end = len(rest)
	}
	word := strings.TrimRight(rest[:end], " \t")
	r.pos += len(word)
	switch word {
	case "":
		return nil, false
	case "true", "false":
		return word == "true", true
	}
	return scalar(word), word[0] == '+' || word[0] == '-' || word[0] == 'i' || word[0] == 'n' || '0' <= word[0] && word[0] <= '9'
}

// array reads [a, b,], over several lines and with comments.
func (r *tomlReader) array(depth int) (any, bool) {
	r.pos++
	list := []any{}
	for {
		r.skipBlank(true)
		if r.take(']') {
			return list, true
		}
		v, ok := r.value(depth + 1)
		if !ok {
			return nil, false
		}
		list = append(list, v)
		r.skipBlank(true)
		if !r.take(',') {
			return list, r.take(']')
		}
	}
}

// inline reads {a = 1, b = 2}.
func (r *tomlReader) inline(depth int) (any, bool) {
	r.pos++
	t := table{}
	for {
		r.skipBlank(true)
		if r.take('}') {
			return t, true
		}
		if !r.assignment(t, depth+1) {
			return nil, false
		}
		r.skipBlank(true)
		if !r.take(',') {
			return t, r.take('}')
		}
	}
}

// line reads a string that ends on its line.
func (r *tomlReader) line(quote byte) (string, bool) {
	r.pos++
	start := r.pos
	for r.pos < len(r.s) && r.s[r.pos] != '\n' {
		switch c := r.s[r.pos]; {
		case c == quote:
			r.pos++
			return unescape(r.s[start:r.pos-1], quote == '\'')
		case c == '\\' && quote == '"' && r.pos+1 < len(r.s) && r.s[r.pos+1] != '\n':
			r.pos++
		}
		r.pos++
	}
	return "", false
}

// block reads a string between three quotes each; up to two more quotes at its
// end belong to it.
func (r *tomlReader) block(quotes string) (any, bool) {
	start := r.pos + 3
	for i := start; i < len(r.s); i++ {
		if r.s[i] == '\\' && quotes == `"""` {
			i++
			continue
		}
		if !strings.HasPrefix(r.s[i:], quotes) {
			continue
		}
		for n := 0; n < 2 && strings.HasPrefix(r.s[i+1:], quotes); n++ {
			i++
		}
		r.pos = i + 3
		return unescape(strings.TrimPrefix(r.s[start:i], "\n"), quotes == `'''`)
	}
	return nil, false
}

// unescape resolves the escapes of a basic string; a literal one has none.
func unescape(s string, literal bool) (string, bool) {
	if literal || !strings.Contains(s, `\`) {
		return s, true
	}
	var b strings.Builder
	for len(s) > 0 {
		if s[0] != '\\' {
			i := strings.IndexByte(s, '\\')
			if i < 0 {
				i = len(s)
			}
			b.WriteString(s[:i])
			s = s[i:]
			continue
		}
		if len(s) < 2 {
			return "", false
		}
		c := s[1]
		s = s[2:]
		if i := strings.IndexByte(`btnfre"\`, c); i >= 0 {
			b.WriteByte("\b\t\n\f\r\x1b\"\\"[i])
			continue
		}
		width := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
		if width == 0 {
			// The only other escape is the end of a line, in a block.
			rest := strings.TrimLeft(string(c)+s, " \t")
			if !strings.HasPrefix(rest, "\n") {
				return "", false
			}
			s = strings.TrimLeft(rest, " \t\n")
			continue
		}
		if len(s) < width {
			return "", false
		}
		n, err := strconv.ParseUint(s[:width], 16, 32)
		if err != nil || !utf8.ValidRune(rune(n)) || n > utf8.MaxRune {
			return "", false
		}
		b.WriteRune(rune(n))
		s = s[width:]
	}
	return b.String(), true
}

// take skips one character if it is next.
func (r *tomlReader) take(c byte) bool {
	if r.pos < len(r.s) && r.s[r.pos] == c {
		r.pos++
		return true
	}
	return false
}

// skipBlank skips white space and comments, and ends of lines if lines is set.
func (r *tomlReader) skipBlank(lines bool) {
	for r.pos < len(r.s) {
		switch c := r.s[r.pos]; {
		case c == ' ' || c == '\t' || c == '\n' && lines:
			r.pos++
		case c == '#':
			for r.pos < len(r.s) && r.s[r.pos] != '\n' {
				r.pos++
			}
		default:
			return
		}
	}
}

// skipLine goes on with the next line.
func (r *tomlReader) skipLine() {
	i := strings.IndexByte(r.s[r.pos:], '\n')
	if i < 0 {
		r.pos = len(r.s)
		return
	}
	r.pos += i + 1
}
