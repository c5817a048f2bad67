//go:build linux

package image

import (
	"errors"
	"fmt"
	"strings"
)

// split cuts a line into words at blanks that are not quoted. Quotes and backslashes stay in the words.
func split(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && quote != '\'':
			if i+1 == len(line) {
				return nil, errors.New("a backslash ends it")
			}
			word.WriteByte(c)
			i++
			word.WriteByte(line[i])
			continue
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && (c == ' ' || c == '\t'):
			if word.Len() > 0 {
				words = append(words, word.String())
				word.Reset()
			}
			continue
		}
		word.WriteByte(c)
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if word.Len() > 0 {
		words = append(words, word.String())
	}
	if len(words) == 0 {
		return nil, errors.New("there are no words")
	}
	return words, nil
}

// expand takes quotes and backslashes away and replaces $NAME, ${NAME}, ${NAME:-word}
// and ${NAME:+word}, as a Dockerfile's parser does. A variable that is not there is empty.
func expand(s string, lookup func(string) (string, bool)) (string, error) {
	var out strings.Builder
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && quote != '\'':
			if i+1 == len(s) {
				return "", errors.New("a backslash ends it")
			}
			i++
			if quote == '"' && s[i] != '"' && s[i] != '\\' && s[i] != '$' {
				out.WriteByte(c)
			}
			out.WriteByte(s[i])
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == '$' && quote != '\'':
			value, n, err := variable(s[i+1:], lookup)
			if err != nil {
				return "", err
			}
			out.WriteString(value)
			i += n
		default:
			out.WriteByte(c)
		}
	}
	if quote != 0 {
		return "", errors.New("a quote is not closed")
	}
	return out.String(), nil
}

// variable reads what follows a dollar sign: its value, and how many bytes it is.
func variable(s string, lookup func(string) (string, bool)) (value string, n int, err error) {
	if !strings.HasPrefix(s, "{") {
		n = nameLength(s)
		if n == 0 {
			return "$", 0, nil
		}
		value, _ = lookup(s[:n])
		return value, n, nil
	}
	n = 1 + nameLength(s[1:])
	name, rest := s[1:n], s[n:]
	value, _ = lookup(name)
	switch {
	case name == "":
		return "", 0, fmt.Errorf("%q is not a variable", "$"+s)
	case strings.HasPrefix(rest, "}"):
		return value, n + 1, nil
	case !strings.HasPrefix(rest, ":-") && !strings.HasPrefix(rest, ":+"):
		return "", 0, fmt.Errorf("%q is not a variable", "$"+s)
	}
	end := strings.IndexByte(rest, '}')
	if end < 0 || strings.ContainsAny(rest[2:end], "${") {
		return "", 0, fmt.Errorf("%q: want ${NAME:-word} with a plain word", "$"+s)
	}
	if (rest[1] == '-') == (value == "") {
		value = rest[2:end]
	} else if rest[1] == '+' {
		value = ""
	}
	return value, n + end + 1, nil
}

// nameLength is that of the variable's name that s begins with.
func nameLength(s string) int {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return i
		}
	}
	return len(s)
}
