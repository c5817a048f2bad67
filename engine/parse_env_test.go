package engine

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// lookupHome knows one variable.
func lookupHome(key string) (string, bool) {
	if key == "HOME" {
		return "/root", true
	}
	return "", false
}

func TestParseEnv(t *testing.T) {
	for _, c := range []struct {
		list   []string
		lookup func(string) (string, bool)
		env    map[string]string
		unset  []string
	}{
		{[]string{"A=1", "B=", "C=a=b", "D= x "}, nil, map[string]string{"A": "1", "B": "", "C": "a=b", "D": " x "}, nil},
		{[]string{"HOME", "NOPE", "ALSO"}, lookupHome, map[string]string{"HOME": "/root"}, []string{"ALSO", "NOPE"}},
		{[]string{"HOME"}, nil, nil, []string{"HOME"}},
		{[]string{"A=1", "A=2"}, nil, map[string]string{"A": "2"}, nil},
		{[]string{"A", "A=2"}, nil, map[string]string{"A": "2"}, nil},
		{[]string{"A=1", "A"}, nil, nil, []string{"A"}},
	} {
		env, unset, err := ParseEnv(c.list, c.lookup)
		if diff := cmp.Diff(c.env, env, cmpopts.EquateEmpty()); err != nil || diff != "" || !cmp.Equal(c.unset, unset) {
			t.Errorf("%q: %v %s, unset %q", c.list, err, diff, unset)
		}
	}
	for _, s := range []string{"", "=x", "A\x00=x", "A=\x00", "\x00"} {
		_, _, err := ParseEnv([]string{s}, nil)
		wantInvalid(t, err)
	}
}

func TestParseEnvFile(t *testing.T) {
	const file = "\ufeff# comment\n\nA=1\n  B=two words \n\t#x\nC=\"quoted\"\nD=a=b#c\nHOME\nNOPE\nHOME  \nE=\r\nF=x\r\nA=2"
	want := map[string]string{"A": "2", "B": "two words ", "C": `"quoted"`, "D": "a=b#c", "HOME": "/root", "E": "", "F": "x"}
	got, err := ParseEnvFile(iotest.OneByteReader(strings.NewReader(file)), lookupHome)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if got, err := ParseEnvFile(strings.NewReader("A=1\nHOME"), nil); err != nil || len(got) != 1 {
		t.Error(got, err)
	}
}

func TestParseEnvFileNamesTheLineAndHidesIt(t *testing.T) {
	for _, c := range []struct{ file, line string }{
		{"A=1\n=secret", "line 2"},
		{"A B=secret", "line 1"},
		{"\n\nA=secret\x00", "line 3"},
		{"A=secret\xff", "line 1"},
		{"A=1\nB=secret" + strings.Repeat("x", maxEnvLine), "line 2"},
	} {
		_, err := ParseEnvFile(strings.NewReader(c.file), nil)
		wantInvalid(t, err)
		if err != nil && (!strings.Contains(err.Error(), c.line) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("error is %q, want %s and not the line itself", err.Error()[:min(100, len(err.Error()))], c.line)
		}
	}
	broken := errors.New("broken")
	if _, err := ParseEnvFile(io.MultiReader(strings.NewReader("A=1\n"), iotest.ErrReader(broken)), nil); !errors.Is(err, broken) {
		t.Errorf("error is %v, want the reader's", err)
	}
}

func TestParseLabels(t *testing.T) {
	got, err := ParseLabels([]string{"a=b", "c", "d=", "e=f=g", "a=h"})
	if diff := cmp.Diff(map[string]string{"a": "h", "c": "", "d": "", "e": "f=g"}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, s := range []string{"", "=", "=x"} {
		_, err := ParseLabels([]string{s})
		wantInvalid(t, err)
	}
}

func FuzzParseEnv(f *testing.F) {
	f.Add("A=1", "B")
	f.Fuzz(func(t *testing.T, a, b string) {
		env, unset, err := ParseEnv([]string{a, b}, lookupHome)
		if err != nil {
			wantInvalid(t, err)
			return
		}
		if n := len(env) + len(unset); n < 1 || n > 2 {
			t.Fatalf("%q, %q: %q, %q", a, b, env, unset)
		}
		var list []string
		for k, v := range env {
			list = append(list, k+"="+v)
		}
		again, none, err := ParseEnv(list, nil)
		if err != nil || len(none) > 0 || !cmp.Equal(env, again) {
			t.Fatalf("%q became %q, %q, %v", env, again, none, err)
		}
	})
}

func FuzzParseEnvFile(f *testing.F) {
	f.Add("A=1\n# x\nB\n C=2\r\n")
	f.Fuzz(func(t *testing.T, file string) {
		env, err := ParseEnvFile(strings.NewReader(file), lookupHome)
		if err != nil {
			wantInvalid(t, err)
			return
		}
		for k, v := range env {
			if envKeyFault(k) != "" || strings.ContainsAny(k, " \t\n") || strings.Contains(v, "\n") {
				t.Fatalf("%q gives %q=%q", file, k, v)
			}
		}
	})
}

func FuzzParseLabels(f *testing.F) {
	f.Add("a=b")
	f.Fuzz(func(t *testing.T, s string) {
		labels, err := ParseLabels([]string{s})
		if err != nil {
			wantInvalid(t, err)
			return
		}
		for k, v := range labels {
			if joined := k + "=" + v; joined != s && k != s {
				t.Fatalf("%q gives %q=%q", s, k, v)
			}
		}
	})
}
