package berth_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The tests of this file hold promises about the repository itself: what is
// linked, what is documented, and that no module escapes the workspace.

// goCommand runs the go command in the repository and returns its output.
func goCommand(t *testing.T, env []string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return out
}

// walk calls visit with the slash-separated path of every file that belongs to
// the repository.
func walk(t *testing.T, visit func(name string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == ".build"):
			return filepath.SkipDir
		case d.Type().IsRegular():
			visit(filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// modules returns the directories of the repository that hold a go.mod.
func modules(t *testing.T) []string {
	t.Helper()
	var dirs []string
	walk(t, func(name string) {
		if path.Base(name) == "go.mod" && !strings.Contains(name, "testdata/") {
			dirs = append(dirs, path.Dir(name))
		}
	})
	return dirs
}

// TestEveryModuleIsInTheWorkspace: "go test work" covers what go.work lists,
// so a module that is missing there would never be tested.
func TestEveryModuleIsInTheWorkspace(t *testing.T) {
	var work struct{ Use []struct{ DiskPath string } }
	if err := json.Unmarshal(goCommand(t, nil, "work", "edit", "-json"), &work); err != nil {
		t.Fatal(err)
	}
	var used []string
	for _, use := range work.Use {
		used = append(used, path.Clean(filepath.ToSlash(use.DiskPath)))
	}
	for _, dir := range modules(t) {
		if !slices.Contains(used, dir) {
			t.Errorf("module %s is not in go.work", dir)
		}
	}
}

// TestRootRequirements: what the root module requires, every user's module
// graph requires.
func TestRootRequirements(t *testing.T) {
	var mod struct {
		Require, Replace []struct{ Path string }
		Tool             []struct{ Path string }
	}
	if err := json.Unmarshal(goCommand(t, nil, "mod", "edit", "-json"), &mod); err != nil {
		t.Fatal(err)
	}
	allowed := []string{"golang.org/x/sys", "github.com/google/go-cmp"}
	for _, r := range mod.Require {
		if !slices.Contains(allowed, r.Path) {
			t.Errorf("the root go.mod requires %s; it may require %s only", r.Path, strings.Join(allowed, " and "))
		}
	}
	if len(mod.Replace)+len(mod.Tool) > 0 {
		t.Error("the root go.mod has replace or tool directives; they belong in internal/testmod")
	}
}

// TestRootDependencies: the packages of the root module link the standard
// library and golang.org/x/sys, on every system.
func TestRootDependencies(t *testing.T) {
	for _, system := range []string{"linux", "darwin", "windows"} {
		t.Run(system, func(t *testing.T) {
			out := goCommand(t, []string{"GOOS=" + system, "CGO_ENABLED=0"}, "list", "-deps",
				"-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./...")
			packages := strings.Fields(string(out))
			if len(packages) == 0 {
				t.Fatal("go list names no package")
			}
			for _, p := range packages {
				if !strings.HasPrefix(p+"/", "github.com/berthdev/berth/") && !strings.HasPrefix(p, "golang.org/x/sys/") {
					t.Errorf("the root module links %s", p)
				}
			}
		})
	}
}

// TestEveryPackageIsDocumented: every package of every module says in a file
// doc.go what it is.
func TestEveryPackageIsDocumented(t *testing.T) {
	comment := regexp.MustCompile(`(?m)^(// |/\*\n)(Package|Command|Berth)[^\n]*\n(//[^\n]*\n|[^\n]+\n)*package \w+$`)
	out := goCommand(t, nil, "list", "-e", "-f", "{{.Dir}}", "work")
	for dir := range strings.Lines(string(out)) {
		dir = strings.TrimSpace(dir)
		text, err := os.ReadFile(filepath.Join(dir, "doc.go"))
		if err != nil {
			t.Errorf("package without doc.go: %v", err)
		} else if !comment.Match(text) {
			t.Errorf("%s has no package comment", filepath.Join(dir, "doc.go"))
		}
	}
}

// TestNoTraceOfAMachine: no file names a path of a developer's machine, a tool
// that only it has, or the host of a package registry (the machine's own
// settings say where packages come from). The brackets keep this file out.
func TestNoTraceOfAMachine(t *testing.T) {
	trace := regexp.MustCompile(strings.Join([]string{
		`[/]work/(main|shared|\.)`,
		`[/](run|var/lib)/engines\b`,
		`[/]tmp/w/`,
		`\bissue[s] (show|list|note)\b`,
		`\bduplicate[s] --change`,
		`(prox[y]|su[m])\.golang\.org`,
		`(de[b]|snapshot|security)\.debian\.org`,
		`(registr[y]\.npmjs|pyp[i]|npmj[s])\.(org|com)`,
	}, "|"))
	walk(t, func(name string) {
		text, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			t.Error(err)
			return
		}
		if bytes.IndexByte(text, 0) >= 0 {
			return // no text
		}
		for i, line := range bytes.Split(text, []byte("\n")) {
			if found := trace.Find(line); found != nil {
				t.Errorf("%s:%d names %q", name, i+1, found)
			}
		}
	})
}
