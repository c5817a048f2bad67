package normal

import "strings"

// Says tells whether an engine's text holds a phrase of pattern, whatever the
// case. Pattern is phrases separated by "|"; in a phrase "(a|b|)" is one of several, "*"
// is any text, and a backslash takes the character behind it as it is.
//
//	Says(text, `no such (image|container)|repository * not found`)
//
// It is for the tables by which engines' words become kinds of errors. Regular
// expressions would do the same with work at start-up and 200 kB of program.
func Says(text, pattern string) bool {
	lower := strings.ToLower(text)
	for i := range alternatives(strings.ToLower(pattern)) {
		if found(lower, i) {
			return true
		}
	}
	return false
}

// alternatives yields the parts of p between the "|" outside of groups.
func alternatives(p string) func(func(string) bool) {
	return func(yield func(string) bool) {
		depth, start := 0, 0
		for i := 0; i < len(p); i++ {
			switch p[i] {
			case '\\':
				i++
			case '(':
				depth++
			case ')':
				depth--
			case '|':
				if depth == 0 {
					if !yield(p[start:i]) {
						return
					}
					start = i + 1
				}
			}
		}
		yield(p[start:])
	}
}

// found tells whether phrase occurs anywhere in text.
func found(text, phrase string) bool {
	first, rest := literal(phrase)
	if first == "" {
		for i := range len(text) + 1 {
			if after(text[i:], phrase) {
				return true
			}
		}
		return false
	}
	for {
		i := strings.Index(text, first)
		if i < 0 {
			return false
		}
		if after(text[i+len(first):], rest) {
			return true
		}
		text = text[i+1:]
	}
}

// after tells whether text begins with phrase.
func after(text, phrase string) bool {
	first, rest := literal(phrase)
	text, ok := strings.CutPrefix(text, first)
	switch {
	case !ok:
		return false
	case rest == "":
		return true
	case rest[0] == '*':
		return found(text, rest[1:])
	}
	// A group.
	depth := 0
	for i := range len(rest) {
		switch rest[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			for choice := range alternatives(rest[1:i]) {
				if after(text, choice+rest[i+1:]) {
					return true
				}
			}
			return false
		}
	}
	return false // a group without an end matches nothing
}

// literal cuts off the plain text that phrase begins with.
func literal(phrase string) (text, rest string) {
	i := strings.IndexAny(phrase, `(*\`)
	if i < 0 {
		return phrase, ""
	}
	if phrase[i] == '\\' {
		if i+1 == len(phrase) {
			return phrase, ""
		}
		more, rest := literal(phrase[i+2:])
		return phrase[:i] + phrase[i+1:i+2] + more, rest
	}
	return phrase[:i], phrase[i:]
}
