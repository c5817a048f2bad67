package connect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseTOML(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     table
		problems []int
	}{
		{"empty", "", table{}, nil},
		{"comments", "# a\n\n  # b = 1\n", table{}, nil},
		{"no end of line", "a=1", table{"a": scalar("1")}, nil},
		{"kinds", "s = \"x\"\nl = 'C:\\x'\nt = true # yes\nf=false\nn = -1\nx = 0xff\nd = 1979-05-27 07:32:00\nfl = 1e3\ni = inf\n",
			table{"s": "x", "l": `C:\x`, "t": true, "f": false, "n": scalar("-1"), "x": scalar("0xff"), "d": scalar("1979-05-27 07:32:00"), "fl": scalar("1e3"), "i": scalar("inf")}, nil},
		{"escapes", `s = "a\tb\"c\\d\u00e9\U0001F600\e\x41 # no comment"`, table{"s": "a\tb\"c\\dé😀\x1bA # no comment"}, nil},
		{"keys", "\"a b\" = 1\n'c.d' = 2\ne . f = 3\ne.g = 4\n1-2_x = 5\n",
			table{"a b": scalar("1"), "c.d": scalar("2"), "e": table{"f": scalar("3"), "g": scalar("4")}, "1-2_x": scalar("5")}, nil},
		{"tables", "[a]\nx=1\n[a.b]\ny=2\n[ a . \"c d\" ]\nz=3\n[a]\nw=4\n",
			table{"a": table{"x": scalar("1"), "w": scalar("4"), "b": table{"y": scalar("2")}, "c d": table{"z": scalar("3")}}}, nil},
		{"arrays", "a = []\nb = [1, 'x', [true],]\nc = [ # one\n  \"x\", # two\n\n  \"y\"\n]\n",
			table{"a": []any{}, "b": []any{scalar("1"), "x", []any{true}}, "c": []any{"x", "y"}}, nil},
		{"inline tables", "a = {}\nb = { x = 1, y.z = 'q', w = { v = [1] } }\n",
			table{"a": table{}, "b": table{"x": scalar("1"), "y": table{"z": "q"}, "w": table{"v": []any{scalar("1")}}}}, nil},
		{"blocks", "a = \"\"\"\nx\n y \\\n   z\"\"\"\nb = '''\\n'x'''\nc = \"\"\"a\"\"\"\"\"\nd=\"\"\"\"\"\"\n",
			table{"a": "x\n y z", "b": `\n'x`, "c": `a""`, "d": ""}, nil},
		{"array of tables is thrown away", "[[a]]\nx=1\n[[a]]\nx=2\n[b]\ny=3\n", table{"b": table{"y": scalar("3")}}, nil},
		{"line ends of Windows and a byte order mark", "\ufeff[a]\r\nx = 'y'\r\n", table{"a": table{"x": "y"}}, nil},

		{"what is not understood", "a = \nb = 1\nc\n= 2\nd = \"x\ne = what\nf = 'ok'\n[g\nh = 1\n[i]]\nj = 2\n",
			table{"b": scalar("1"), "f": "ok", "i": table{"j": scalar("2")}}, []int{1, 3, 4, 5, 6, 8, 10}},
		{"text after a value", "a = 1 2\nb = 'x' y\nc = 3\n", table{"a": scalar("1 2"), "b": "x", "c": scalar("3")}, []int{2}},
		{"a value is in the way of a table", "a = 1\n[a.b]\nx = 1\n[c]\ny = 2\na.b = 3\n", table{"a": scalar("1"), "c": table{"y": scalar("2"), "a": table{"b": scalar("3")}}}, []int{2}},
		{"a value is in the way of a key", "a = 1\na.b = 2\nc = 3\n", table{"a": scalar("1"), "c": scalar("3")}, []int{2}},
		{"bad escapes", "a = \"\\q\"\nb = \"\\u12\"\nc = \"\\ud800\"\nd = \"\\\"\ne = 1\n", table{"e": scalar("1")}, []int{1, 2, 3, 4}},
		{"open array", "a = [1,\nb = 2\n", table{}, []int{1}},
		{"open block", "a = '''x\n", table{}, []int{1}},
		{"deep", "a = " + strings.Repeat("[", 10000) + "\nb = 1\n", table{"b": scalar("1")}, []int{1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, problems := parseTOML([]byte(tt.in))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.problems, problems); diff != "" {
				t.Errorf("problems: %s", diff)
			}
		})
	}
}

func FuzzTOML(f *testing.F) {
	f.Add([]byte("[engine]\nactive_service = \"a\"\n[engine.service_destinations.a]\nuri = \"ssh://u@h/p\"\nis_machine = true\n"))
	f.Add([]byte("a = [1, {b = '''x'''}]\n\"c\".d = \"\"\"\\u0041\\\n x\"\"\" # e\n[[f]]\r\n"))
	f.Add([]byte("a = \n= 1\n[x\n\"\\"))
	f.Fuzz(func(t *testing.T, data []byte) {
		root, problems := parseTOML(data)
		lines := 1 + strings.Count(string(data), "\n")
		for i, n := range problems {
			if n < 1 || n > lines || i > 0 && n <= problems[i-1] {
				t.Errorf("problems %v in %d lines", problems, lines)
			}
		}
		// What was read reads the same below another table.
		if _, taken := root["zz"]; taken || len(problems) > 0 || strings.HasPrefix(string(data), "\ufeff") {
			return
		}
		again, problems := parseTOML(append(append([]byte(nil), data...), "\n[zz]\nend = true\n"...))
		if diff := cmp.Diff(table{"end": true}, again["zz"]); diff != "" || len(problems) > 0 {
			t.Errorf("a table after it: %v\n%s", problems, diff)
		}
		delete(again, "zz")
		if diff := cmp.Diff(root, again); diff != "" {
			t.Error(diff)
		}
	})
}
