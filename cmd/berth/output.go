package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

// errOutput is the kind of error of writing to standard output.
var errOutput = errors.New("write output")

// output calls f with a buffer in front of standard output, and flushes it.
func (a *app) output(f func(w *bufio.Writer) error) error {
	w := bufio.NewWriter(outputFile{a.stdout})
	err := f(w)
	return errors.Join(err, w.Flush())
}

// outputFile is standard output, whose errors say so.
type outputFile struct{ f *os.File }

func (o outputFile) Write(p []byte) (int, error) {
	n, err := o.f.Write(p)
	if err != nil {
		err = fmt.Errorf("%w: %w", errOutput, err)
	}
	return n, err
}

// printLines writes each of the lines.
func (a *app) printLines(lines ...string) error {
	return a.output(func(w *bufio.Writer) error {
		for _, line := range lines {
			w.WriteString(line)
			w.WriteByte('\n')
		}
		return nil
	})
}

// printJSON writes one JSON value, indented, and a newline.
func (a *app) printJSON(v any) error {
	return a.output(func(w *bufio.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(v)
	})
}

// table is text in columns.
type table struct {
	head []string
	rows [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write aligns the columns with spaces. Cells cannot break the rows: a tab, a newline
// or an escape of what an engine or an image says is shown as a question mark.
func (t *table) write(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			if i > 0 {
				tw.Write([]byte{'\t'})
			}
			io.WriteString(tw, printable(cell))
		}
		tw.Write([]byte{'\n'})
	}
	return tw.Flush()
}

// printable replaces control characters.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || 0x7f <= r && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// format is a value of --format.
type format string

const (
	formatTable format = "table"
	formatJSON  format = "json"
)

func (f *format) String() string { return string(*f) }
func (f *format) Type() string   { return "FORMAT" }

func (f *format) Set(s string) error {
	switch format(s) {
	case formatTable, formatJSON:
		*f = format(s)
		return nil
	}
	return fmt.Errorf("want %s or %s", formatTable, formatJSON)
}
