package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/pflag"

	"github.com/berthdev/berth"
)

// parseRun makes a Spec of the flags and arguments of run.
func parseRun(args []string) (berth.Spec, error) {
	var d draft
	flags := pflag.NewFlagSet("run", pflag.ContinueOnError)
	flags.SetInterspersed(false)
	register(flags, &d, specFlags())
	if err := flags.Parse(args); err != nil {
		return berth.Spec{}, err
	}
	return d.finish(flags.Arg(0), flags.Args()[1:])
}

// TestSpec compares what flags make of a Spec with testdata/spec: archives of
// args, a line each, further files that flags name, and spec.json or error.
func TestSpec(t *testing.T) {
	names, err := filepath.Glob("testdata/spec/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal("there are no cases", err)
	}
	used := map[string]bool{}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		path, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		args := strings.Split(strings.TrimSpace(string(file(archive, "args"))), "\n")
		for _, arg := range args {
			if flag, ok := strings.CutPrefix(arg, "--"); ok {
				flag, _, _ = strings.Cut(flag, "=")
				used[flag] = true
			}
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			t.Chdir(t.TempDir())
			for _, f := range archive.Files {
				if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("FROMHERE", "here")
			spec, err := parseRun(args)
			result, got := "spec.json", []byte(nil)
			if err != nil {
				result, got = "error", []byte(flagNames(err.Error())+"\n")
			} else if got, err = json.MarshalIndent(spec, "", "  "); err != nil {
				t.Fatal(err)
			} else {
				got = append(got, '\n')
			}
			if *update {
				archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "spec.json" || f.Name == "error" })
				archive.Files = append(archive.Files, txtar.File{Name: result, Data: got})
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(file(archive, result)), string(got)); diff != "" {
				t.Errorf("%s differs (-want +got):\n%s", result, diff)
			}
		})
	}
	for _, f := range specFlags() {
		if !used[f.name] {
			t.Errorf("no case has --%s", f.name)
		}
	}
}

// file is the content of a file of an archive.
func file(a *txtar.Archive, name string) []byte {
	for _, f := range a.Files {
		if f.Name == name {
			return bytes.ReplaceAll(f.Data, []byte("\r\n"), []byte("\n"))
		}
	}
	return nil
}

// noFlag are the fields of a Spec that no flag of run sets, and why.
var noFlag = map[string]string{
	"Image":     "the first argument",
	"Command":   "the other arguments",
	"StdinOnce": "berth's own affair: an input that is passed on ends",
	"LXCConf":   "no engine has it",
	"Windows":   "options of Windows containers are for programs",
	"Raw":       "a request's JSON is for programs",
	"Podman":    "those of its fields that people use have flags",

	"NetworkDisabled": "--network none says it",
}

// TestEveryFieldHasAFlag: what a Spec can say, run can say.
func TestEveryFieldHasAFlag(t *testing.T) {
	set := map[string]bool{}
	for _, f := range specFlags() {
		path := strings.NewReplacer("[0]", "").Replace(f.field)
		set[path] = true
		for dot := strings.LastIndexByte(path, '.'); dot >= 0; dot = strings.LastIndexByte(path, '.') {
			path = path[:dot]
			set[path] = true
		}
	}
	set["NetworkMode"], set["SecretEnv"], set["CDIDevices"] = set["Networks"], set["Secrets"], set["Devices"]
	check := func(prefix string, typ reflect.Type) {
		for f := range typ.Fields() {
			if _, ok := noFlag[prefix+f.Name]; !ok && !set[prefix+f.Name] {
				t.Errorf("no flag sets Spec.%s%s", prefix, f.Name)
			}
		}
	}
	check("", reflect.TypeFor[berth.Spec]())
	check("Resources.", reflect.TypeFor[berth.Resources]())
}

// TestFieldsExist: the fields that flags say they set are those of a Spec.
func TestFieldsExist(t *testing.T) {
	for _, f := range specFlags() {
		if f.field == "" {
			continue
		}
		typ := reflect.TypeFor[berth.Spec]()
		for name := range strings.SplitSeq(strings.ReplaceAll(f.field, "[0]", ""), ".") {
			for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
				typ = typ.Elem()
			}
			field, ok := typ.FieldByName(name)
			if !ok {
				t.Errorf("--%s: there is no Spec.%s", f.name, f.field)
				break
			}
			typ = field.Type
		}
	}
}

func TestFlagNames(t *testing.T) {
	for in, want := range map[string]string{
		"Spec.UsernsMode=keep-id is not supported":           "--userns=keep-id is not supported",
		`invalid Spec.Ports[3] "x"`:                          `invalid --publish "x"`,
		"invalid Spec.Networks[0].IPv4: y":                   "invalid --ip: y",
		"invalid Spec.Networks[1].IPv4: y":                   "invalid --network: y",
		"invalid Spec.Resources.Memory":                      "invalid --memory",
		"invalid Spec.Healthcheck.Startup.Test":              "invalid Spec.Healthcheck.Startup.Test",
		"Spec.Mounts[2].Source, Spec.Mounts and Spec.Labels": "--volume, --volume and --label",
		"Specify Spec.Nosuch":                                "Specify Spec.Nosuch",
	} {
		if got := flagNames(in); got != want {
			t.Errorf("flagNames(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzParseTmpfs(f *testing.F) {
	f.Add("/run")
	f.Add("/run:size=64m,mode=1777,ro,noexec")
	f.Add(":,=")
	f.Fuzz(func(t *testing.T, s string) {
		m, err := parseTmpfs(s)
		if err == nil && (m.Type != berth.MountTmpfs || m.Target == "") {
			t.Errorf("parseTmpfs(%q) = %+v", s, m)
		}
	})
}
