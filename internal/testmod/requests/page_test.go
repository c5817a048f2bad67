package requests

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

const pageFile = "../../../docs/requests.md"

// section is the part of the page about one engine: between its two marks.
func section(engine, rows string) string {
	return fmt.Sprintf("<!-- %s -->\n%s<!-- /%s -->\n", engine, rows, engine)
}

func sectionPattern(engine string) *regexp.Regexp {
	return regexp.MustCompile(`(?s)<!-- ` + regexp.QuoteMeta(engine) + ` -->\n.*<!-- /` + regexp.QuoteMeta(engine) + ` -->\n`)
}

// table renders the rows of an engine.
func table(rows []row) string {
	var b strings.Builder
	b.WriteString("\n| Call | Requests |\n| --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s |\n", r.title(), r.requests())
	}
	b.WriteString("\n")
	return b.String()
}

// row is one call and what it asked for.
type row struct {
	call
	list        []string
	unsupported bool
}

func (r row) title() string {
	if r.when == "" {
		return "`" + r.name + "`"
	}
	return "`" + r.name + "`, " + r.when
}

func (r row) requests() string {
	var list []string
	for _, q := range r.list {
		q, mark, _ := strings.Cut(q, " (")
		q = "`" + q + "`"
		if mark != "" {
			q += " (" + mark
		}
		list = append(list, q)
	}
	switch {
	case r.unsupported && len(list) == 0:
		return "none: unsupported"
	case r.unsupported:
		list = append(list, "then: unsupported")
	case len(list) == 0:
		return "none"
	}
	return strings.Join(list, ", ")
}

// check compares the engine's section of the page, or rewrites it.
func check(t *testing.T, engine, rows string) {
	t.Helper()
	page, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	p := sectionPattern(engine)
	was := p.FindString(string(page))
	if was == "" {
		t.Fatalf("%s has no section of %s", pageFile, engine)
	}
	now := section(engine, rows)
	if was == now {
		return
	}
	if *update {
		text := p.ReplaceAllLiteralString(string(page), now)
		if err := os.WriteFile(pageFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s does not say what %s was asked; look at the difference, then run this test with -update:\n%s", pageFile, engine, lineDiff(was, now))
}

// lineDiff lists the lines that only one of two texts has.
func lineDiff(was, now string) string {
	var b strings.Builder
	for _, side := range []struct{ mark, text, other string }{{"-", was, now}, {"+", now, was}} {
		for line := range strings.Lines(side.text) {
			if !strings.Contains(side.other, line) {
				b.WriteString(side.mark + " " + line)
			}
		}
	}
	return b.String()
}
