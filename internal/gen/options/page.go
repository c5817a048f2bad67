package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

const head = `<!-- Made by go run ./internal/gen/options. Do not edit. -->

# Options

What a container is, field by field: the type Spec of package engine (an alias of it is in
package berth) and the types it is made of. The second column is the field's name in JSON. In JSON,
sizes are text with a binary unit ("512m") or numbers of bytes, durations are Go's text ("1m30s") or numbers of
nanoseconds, modes are octal text ("0400") or numbers; a nil slice is left out, and an empty one is []; a member that does not exist is an error.

A field that is not set leaves the choice to the image and the engine. What an engine cannot honour
is an UnsupportedError that names the option.
`

var word = regexp.MustCompile(`\b[A-Z][A-Za-z]*\b`)

// generate makes the page out of the package in dir: Spec first, then each type in the order in which it is met.
func generate(dir string) ([]byte, error) {
	src, err := readSource(dir)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(head)
	queue, seen := []string{"Spec"}, map[string]bool{"Spec": true}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		st := src.structs[name]
		if st == nil {
			doc, ok := src.others[name]
			if !ok {
				return nil, fmt.Errorf("there is no type %s in %s", name, dir)
			}
			fmt.Fprintf(&b, "\n## %s\n\n%s", name, doc)
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n| field | JSON | type | meaning |\n| --- | --- | --- | --- |\n", name, st.doc)
		for _, f := range st.fields {
			typ := f.typ
			for _, used := range word.FindAllString(typ, -1) {
				if local(typ, used) && !seen[used] {
					seen[used] = true
					queue = append(queue, used)
				}
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.name, f.json, linked(typ), cell(f.doc))
		}
	}
	return b.Bytes(), nil
}

// local tells that name in typ is of this package.
func local(typ, name string) bool { return !strings.Contains(typ, "."+name) }

// linked is a type with links to the types on this page.
func linked(typ string) string {
	name := word.FindString(typ)
	text := "`" + typ + "`"
	if name == "" || !local(typ, name) {
		return text
	}
	return "[" + text + "](#" + strings.ToLower(name) + ")"
}

// cell is a comment as one line of a table.
func cell(doc string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(doc), " "), "|", `\|`)
}
