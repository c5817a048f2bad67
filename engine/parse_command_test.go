package engine

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The table was made by Python's own shlex (testdata/splitcommand.py).
func TestSplitCommandAsPython(t *testing.T) {
	text, err := os.ReadFile("testdata/shlex.json")
	if err != nil {
		t.Fatal(err)
	}
	var table []struct {
		Line  string
		Words []string
	}
	if err := json.Unmarshal(text, &table); err != nil {
		t.Fatal(err)
	}
	if len(table) < 1000 {
		t.Fatalf("only %d lines", len(table))
	}
	for _, c := range table {
		got, err := SplitCommand(c.Line)
		if err != nil {
			got = nil
			wantInvalid(t, err)
		}
		if diff := cmp.Diff(c.Words, got); diff != "" {
			t.Errorf("SplitCommand(%q): -python +ours\n%s", c.Line, diff)
		}
	}
}

func TestSplitCommandRefusesNUL(t *testing.T) {
	for _, line := range []string{"a\x00", "'\x00'", "\"\x00\"", "\\\x00", "\"\\\x00\""} {
		_, err := SplitCommand(line)
		wantInvalid(t, err)
	}
}

// quote is the one form of quoting that needs no thought.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'"'"'`) + "'" }

func FuzzSplitCommand(f *testing.F) {
	f.Add(`sh -c "echo 'a b'" \x`)
	f.Add("'")
	f.Fuzz(func(t *testing.T, line string) {
		words, err := SplitCommand(line)
		if err != nil {
			wantInvalid(t, err)
			return
		}
		var quoted []string
		for _, w := range words {
			quoted = append(quoted, quote(w))
		}
		again, err := SplitCommand(strings.Join(quoted, " "))
		if err != nil || !cmp.Equal(words, again) {
			t.Fatalf("%q: %q, quoted and split again %q, %v", line, words, again, err)
		}
	})
}

func TestShellForms(t *testing.T) {
	if diff := cmp.Diff([]string{"/bin/sh", "-c", "a | b"}, Shell("a | b")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"CMD", "a", "b"}, Cmd("a", "b")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"CMD-SHELL", "a"}, CmdShell("a")); diff != "" {
		t.Error(diff)
	}
}

func TestParseHealthTest(t *testing.T) {
	for in, want := range map[string][]string{
		"none":                   {"NONE"},
		" NONE ":                 {"NONE"},
		"curl -f x":              {"CMD-SHELL", "curl -f x"},
		`["curl", "-f"]`:         {"CMD", "curl", "-f"},
		`["CMD", "curl"]`:        {"CMD", "curl"},
		`["CMD-SHELL", "a | b"]`: {"CMD-SHELL", "a | b"},
		`["NONE"]`:               {"NONE"},
		`[ -f /ready ]`:          {"CMD-SHELL", "[ -f /ready ]"},
		`[]`:                     {"CMD-SHELL", "[]"},
		`[1]`:                    {"CMD-SHELL", "[1]"},
	} {
		got, err := ParseHealthTest(in)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", in, err, diff)
		}
	}
	for _, in := range []string{"", " ", `["CMD"]`, `["NONE", "x"]`, `["CMD-SHELL", "a", "b"]`, `[""]`, "a\x00"} {
		_, err := ParseHealthTest(in)
		wantInvalid(t, err)
	}
}

func FuzzParseHealthTest(f *testing.F) {
	f.Add(`["CMD", "a"]`)
	f.Fuzz(func(t *testing.T, s string) {
		test, err := ParseHealthTest(s)
		if err != nil {
			wantInvalid(t, err)
		} else if reason := testFault(test); reason != "" || len(test) == 0 {
			t.Fatalf("%q: %q is no test: %s", s, test, reason)
		}
	})
}
