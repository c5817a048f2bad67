package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestReadme: the tour of the README compiles.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	_, tour, found := bytes.Cut(text, []byte("```go\n"))
	tour, _, closed := bytes.Cut(tour, []byte("```\n"))
	if !found || !closed {
		t.Fatal("there is no tour")
	}
	name := filepath.Join(t.TempDir(), "main.go")
	source := "package main\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\t\"strings\"\n\t\"time\"\n\n\t\"github.com/berthdev/berth\"\n)\n\n" +
		"func main() { tour(context.Background()) }\n\nfunc tour(ctx context.Context) error {\n" + string(tour) + "}\n"
	if err := os.WriteFile(name, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "vet", name).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
