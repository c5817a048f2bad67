package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/berthdev/berth"
)

// page is the page about the command. What is between its marks is made by
// this test: go test -run TestPage -update.
const page = "../../docs/command.md"

// TestPage: the page has every command and flag, and every member of the JSON.
func TestPage(t *testing.T) {
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	have = bytes.ReplaceAll(have, []byte("\r\n"), []byte("\n"))
	want := have
	for name, text := range map[string]string{"commands": commandsText(t), "json": schemaText(t)} {
		begin, end := fmt.Sprintf("<!-- begin %s -->\n", name), fmt.Sprintf("<!-- end %s -->\n", name)
		before, rest, ok := bytes.Cut(want, []byte(begin))
		_, after, ok2 := bytes.Cut(rest, []byte(end))
		if !ok || !ok2 {
			t.Fatalf("%s lacks the marks of %s", page, name)
		}
		want = slices.Concat(before, []byte(begin), []byte(text), []byte(end), after)
	}
	if *update {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), string(have)); diff != "" {
		t.Errorf("%s is not up to date: go test -run TestPage -update (-want +got):\n%s", page, diff)
	}
}

// commands are the commands of the tree, each parent before its children.
func commands(cmd *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{cmd}
	for _, c := range cmd.Commands() {
		list = append(list, commands(c)...)
	}
	return list
}

// TestHelp: every command and flag says in its help what it is for.
func TestHelp(t *testing.T) {
	root := newRoot(&app{})
	for _, cmd := range commands(root) {
		var out bytes.Buffer
		cmd.InitDefaultHelpFlag()
		cmd.SetOut(&out)
		if err := cmd.Help(); err != nil {
			t.Fatal(err)
		}
		help := out.String()
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: its short text is %q: want words without a full stop", cmd.CommandPath(), cmd.Short)
		}
		if cmd != root && !cmd.HasSubCommands() && !strings.Contains(cmd.Use, "[flags]") {
			t.Errorf("%s: its usage %q does not show that it takes flags", cmd.CommandPath(), cmd.Use)
		}
		for line := range strings.Lines(cmd.Long) {
			if len(line) > 81 {
				t.Errorf("%s: a line of its text is longer than 80 characters: %s", cmd.CommandPath(), line)
			}
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			name, usage := pflag.UnquoteUsage(f)
			if !strings.Contains(help, "--"+f.Name) || usage == "" || !strings.Contains(help, usage) {
				t.Errorf("%s: --%s is not in its help", cmd.CommandPath(), f.Name)
			}
			if strings.HasSuffix(usage, ".") {
				t.Errorf("%s: the text of --%s ends with a full stop", cmd.CommandPath(), f.Name)
			}
			if name == "string" || name == "stringArray" || name == "int" {
				t.Errorf("%s: --%s does not say what its value is", cmd.CommandPath(), f.Name)
			}
		})
	}
}

// commandsText is all commands with their flags, in Markdown.
func commandsText(t *testing.T) string {
	var b strings.Builder
	root := newRoot(&app{})
	for _, cmd := range commands(root) {
		if cmd != root {
			fmt.Fprintf(&b, "\n### %s\n\n```\n%s\n```\n\n%s\n", cmd.CommandPath(), cmd.UseLine(), cmdText(cmd))
		} else {
			b.WriteString("\n### Flags of every command\n")
		}
		flags := cmd.LocalFlags()
		if !flags.HasFlags() {
			continue
		}
		b.WriteString("\n| flag | |\n| --- | --- |\n")
		flags.VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			name, usage := pflag.UnquoteUsage(f)
			flag := strings.TrimSpace("--" + f.Name + " " + name)
			if f.Shorthand != "" {
				flag = "-" + f.Shorthand + ", " + flag
			}
			fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(flag, "|", "\\|"), strings.ReplaceAll(usage, "|", "\\|"))
		})
	}
	if b.Len() == 0 {
		t.Fatal("there are no commands")
	}
	return b.String() + "\n"
}

func cmdText(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return cmd.Short + "."
}

// schemaText is every member of the JSON that commands print, in Markdown.
func schemaText(t *testing.T) string {
	var b strings.Builder
	for _, s := range []struct {
		head string
		typ  reflect.Type
	}{
		{"ps: an array of", reflect.TypeFor[berth.Summary]()},
		{"images, image ls: an array of", reflect.TypeFor[berth.ImageSummary]()},
		{"inspect of a container: an array of", reflect.TypeFor[berth.Attrs]()},
		{"inspect of an image: an array of", reflect.TypeFor[berth.ImageAttrs]()},
		{"info: one object", reflect.TypeFor[engineInfo]()},
	} {
		fmt.Fprintf(&b, "\n### %s\n\n| member | type |\n| --- | --- |\n", s.head)
		members(&b, "", s.typ)
	}
	return b.String() + "\n"
}

// members writes a row for each member of a struct, those of structs in it after their own.
func members(b *strings.Builder, prefix string, typ reflect.Type) {
	for f := range typ.Fields() {
		if !f.IsExported() || f.Type == rawType {
			continue
		}
		name := prefix + memberName(f)
		words, inner := typeWords(f.Type)
		fmt.Fprintf(b, "| `%s` | %s |\n", name, words)
		if inner != nil {
			members(b, name+map[bool]string{true: "[]."}[strings.HasPrefix(words, "array")]+map[bool]string{true: ".*."}[strings.HasPrefix(words, "object by")]+
				map[bool]string{true: "."}[strings.HasPrefix(words, "object") && !strings.HasPrefix(words, "object by")], inner)
		}
	}
}

// typeWords says how a type is shown; inner is the struct in it, if there is one.
func typeWords(typ reflect.Type) (words string, inner reflect.Type) {
	switch {
	case typ == timeType:
		return "time (RFC 3339) or null", nil
	case typ == durationType:
		return "duration (`1m30s`)", nil
	case typ == reflect.TypeFor[berth.Bytes]():
		return "number of bytes", nil
	case typ.Implements(textType) && typ.Kind() == reflect.Struct:
		return "string (address, or empty)", nil
	}
	switch typ.Kind() {
	case reflect.Pointer:
		words, inner = typeWords(typ.Elem())
		return words + " or null", inner
	case reflect.Slice:
		words, inner = typeWords(typ.Elem())
		return "array of " + words, inner
	case reflect.Map:
		words, inner = typeWords(typ.Elem())
		return "object by name of " + words, inner
	case reflect.Struct:
		return "object", typ
	case reflect.String:
		return "string", nil
	case reflect.Bool:
		return "boolean", nil
	}
	return "number", nil
}

// TestView: what the schema promises of values.
func TestView(t *testing.T) {
	type inner struct {
		OOMKilled *bool
		PIDMode   string
		IPv6      string
		ExecIDs   []string
		Named     int `json:"theName,omitzero"`
	}
	type value struct {
		ID     string
		In     inner
		At     struct{ NCPU int }
		ByName map[string]inner
		Size   berth.Bytes
		Raw    json.RawMessage
		hidden int
	}
	got, err := json.Marshal(view{&value{ID: "<é>", Size: 3 * berth.MiB, Raw: json.RawMessage(`{}`), hidden: 1, ByName: map[string]inner{"b": {}, "a": {PIDMode: "x", OOMKilled: new(true), Named: 2}}}})
	if err != nil {
		t.Fatal(err)
	}
	empty := `{"oomKilled":null,"pidMode":"","ipv6":"","execIDs":[],"theName":0}`
	want := `{"id":"\u003cé\u003e","in":` + empty + `,"at":{"ncpu":0},"byName":{"a":{"oomKilled":true,"pidMode":"x","ipv6":"","execIDs":[],"theName":2},"b":` + empty + `},"size":3145728}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := json.Marshal(view{make(chan int)}); err == nil {
		t.Error("a channel has been shown")
	}
	for _, v := range []any{(*berth.Summary)(nil), nil} {
		if got, err := json.Marshal(view{v}); string(got) != "null" || err != nil {
			t.Errorf("%T is shown as %s, %v", v, got, err)
		}
	}
}

// TestViewsOfTheLibrary: every value that a command shows has a form, full or empty.
func TestViewsOfTheLibrary(t *testing.T) {
	for _, v := range []any{&berth.Summary{}, &berth.ImageSummary{}, &berth.Attrs{}, &berth.ImageAttrs{}, engineInfo{Info: &berth.Info{}}} {
		filled := reflect.New(reflect.TypeOf(v)).Elem()
		fill(filled, 0)
		for _, v := range []any{v, filled.Interface()} {
			data, err := json.Marshal(view{v})
			if err != nil || !json.Valid(data) {
				t.Errorf("%T: %v: %s", v, err, data)
			}
		}
	}
}

// fill puts one element into every list and map of a value, and something behind every pointer.
func fill(v reflect.Value, depth int) {
	if depth > 8 || !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth+1)
	case reflect.Slice:
		if v.Type() != rawType {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		elem := reflect.New(v.Type().Elem()).Elem()
		fill(elem, depth+1)
		v.SetMapIndex(reflect.ValueOf("key"), elem)
	case reflect.Struct:
		for _, f := range v.Fields() {
			fill(f, depth+1)
		}
	}
}
