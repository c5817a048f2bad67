//go:build linux

package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// yamlToJSON reads the part of YAML that programs write CDI specifications in: blocks of mappings and sequences, plain and
// quoted scalars on one line, and sequences and mappings in JSON's form on one line. What is beyond it is an error.
func yamlToJSON(b []byte) ([]byte, error) {
	if strings.HasPrefix(strings.TrimSpace(string(b)), "{") {
		return b, nil
	}
	var lines []yamlLine
	for n, text := range strings.Split(string(b), "\n") {
		text = strings.TrimRight(text, " \r")
		trimmed := strings.TrimLeft(text, " ")
		switch {
		case trimmed == "" || trimmed[0] == '#' || trimmed == "---" && len(lines) == 0:
			continue
		case strings.HasPrefix(trimmed, "\t"):
			return nil, fmt.Errorf("line %d: a tab", n+1)
		}
		lines = append(lines, yamlLine{number: n + 1, indent: len(text) - len(trimmed), text: trimmed})
	}
	p := &yamlParser{lines: lines}
	v, err := p.block(0, 0)
	if err != nil {
		return nil, err
	}
	if p.at < len(p.lines) {
		return nil, p.fail("the indentation does not fit")
	}
	return json.Marshal(v)
}

type yamlLine struct {
	number, indent int
	text           string
}

type yamlParser struct {
	lines []yamlLine
	at    int
}

// maxYAML bounds how deep blocks lie in each other.
const maxYAML = 64

func (p *yamlParser) fail(reason string) error {
	n := 0
	if p.at < len(p.lines) {
		n = p.lines[p.at].number
	}
	return fmt.Errorf("line %d: %s", n, reason)
}

// block reads the mapping or sequence that is indented by at least min.
func (p *yamlParser) block(min, depth int) (any, error) {
	if depth > maxYAML {
		return nil, p.fail("blocks lie too deep in each other")
	}
	if p.at >= len(p.lines) || p.lines[p.at].indent < min {
		return nil, nil
	}
	l := p.lines[p.at]
	if l.text == "-" || strings.HasPrefix(l.text, "- ") {
		return p.sequence(l.indent, depth)
	}
	return p.mapping(l.indent, depth)
}

func (p *yamlParser) sequence(indent, depth int) (any, error) {
	list := []any{}
	for p.at < len(p.lines) {
		l := &p.lines[p.at]
		if l.indent != indent || l.text != "-" && !strings.HasPrefix(l.text, "- ") {
			break
		}
		rest := strings.TrimLeft(l.text[1:], " ")
		var v any
		var err error
		if _, _, ok := yamlKey(rest); rest == "" {
			p.at++
			v, err = p.block(indent+1, depth+1)
		} else if ok || rest == "-" || strings.HasPrefix(rest, "- ") {
			// What follows the dash begins a block of its own, indented by what is before it.
			l.indent += len(l.text) - len(rest)
			l.text = rest
			v, err = p.block(l.indent, depth+1)
		} else if v, err = yamlScalar(rest); err == nil {
			p.at++
		}
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (p *yamlParser) mapping(indent, depth int) (any, error) {
	m := map[string]any{}
	for p.at < len(p.lines) {
		l := p.lines[p.at]
		if l.indent != indent || strings.HasPrefix(l.text, "- ") || l.text == "-" {
			break
		}
		key, rest, ok := yamlKey(l.text)
		if !ok {
			return nil, p.fail("want KEY: VALUE")
		}
		if _, twice := m[key]; twice {
			return nil, p.fail("the key " + key + " is there twice")
		}
		var v any
		var err error
		if rest == "" {
			p.at++
			// A sequence may be indented no more than its key.
			least := indent + 1
			if p.at < len(p.lines) && p.lines[p.at].indent == indent && strings.HasPrefix(p.lines[p.at].text, "-") {
				least = indent
			}
			v, err = p.block(least, depth+1)
		} else if v, err = yamlScalar(rest); err == nil {
			p.at++
		} else {
			err = p.fail(err.Error())
		}
		if err != nil {
			return nil, err
		}
		m[key] = v
	}
	return m, nil
}

// yamlKey splits "key: value".
func yamlKey(s string) (key, rest string, ok bool) {
	if s == "" || strings.ContainsRune("[{", rune(s[0])) {
		return "", "", false
	}
	if s[0] == '"' || s[0] == '\'' {
		end := strings.IndexByte(s[1:], s[0])
		if end < 0 {
			return "", "", false
		}
		key, s = s[1:end+1], s[end+2:]
		if s != ":" && !strings.HasPrefix(s, ": ") {
			return "", "", false
		}
		return key, strings.TrimSpace(s[1:]), true
	}
	if before, found := strings.CutSuffix(s, ":"); found && !strings.Contains(before, ": ") {
		return before, "", true
	}
	key, rest, ok = strings.Cut(s, ": ")
	rest = strings.TrimSpace(rest)
	if strings.HasPrefix(rest, "#") {
		rest = ""
	}
	return key, rest, ok
}

var errYAML = errors.New("it is beyond what is read of YAML here")

// yamlScalar reads a value on one line.
func yamlScalar(s string) (any, error) {
	switch s[0] {
	case '"', '[', '{':
		var v any
		if json.Unmarshal([]byte(s), &v) != nil {
			return nil, errYAML
		}
		return v, nil
	case '\'':
		if len(s) < 2 || s[len(s)-1] != '\'' {
			return nil, errYAML
		}
		return strings.ReplaceAll(s[1:len(s)-1], "''", "'"), nil
	case '|', '>', '&', '*', '!', '%', '@', '`':
		return nil, errYAML
	}
	if i := strings.Index(s, " #"); i >= 0 {
		s = strings.TrimRight(s[:i], " ")
	}
	switch s {
	case "true", "True", "TRUE":
		return true, nil
	case "false", "False", "FALSE":
		return false, nil
	case "null", "~", "Null", "NULL":
		return nil, nil
	}
	if octal, ok := strings.CutPrefix(s, "0o"); ok {
		if n, err := strconv.ParseInt(octal, 8, 64); err == nil {
			return n, nil
		}
	}
	if len(s) > 1 && s[0] == '0' && strings.Trim(s, "01234567") == "" { // YAML 1.1
		if n, err := strconv.ParseInt(s, 8, 64); err == nil {
			return n, nil
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	return s, nil
}
