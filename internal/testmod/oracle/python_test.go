package oracle

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth/internal/testmod/rig"
)

//go:embed testdata/oracle.py
var script string

// roots are the engines whose roots have the libraries.
var roots = []string{"docker28", "podman58"}

// python is a Python process in which a library is connected to the engine.
type python struct {
	t   testing.TB
	in  io.Writer
	out *bufio.Reader
	// with are variables of every expression.
	with map[string]any
}

// startPython starts library ("docker", "podman") on the engine. It skips the
// test where there is none.
func startPython(t *testing.T, e rig.Engine, library string) *python {
	t.Helper()
	root, socket := rootFor(t, e)
	cmd := engineExec(t, root, "python3", "-c", script, library, socket)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", library, err, &stderr)
		}
	})
	return &python{t: t, in: in, out: bufio.NewReader(out), with: map[string]any{"image": rig.Image}}
}

// rootFor is the engine in whose root the libraries are, and the path there of
// e's socket: its own, or ours by way of /proc, since the engines share our process IDs.
func rootFor(t *testing.T, e rig.Engine) (root, socket string) {
	t.Helper()
	if ok, why := e.Owned(t); !ok {
		t.Skipf("no Python libraries beside this engine: %s", why)
	}
	var tried []string
	for _, name := range slices.Insert(slices.Clone(roots), 0, e.Name) {
		out, err := engineExec(t, name, "python3", "-c", "import docker, podman").CombinedOutput()
		switch {
		case err == nil && name == e.Name:
			return name, "/run/share/api.sock"
		case err == nil:
			return name, fmt.Sprintf("/proc/%d/root%s", os.Getpid(), e.Socket)
		}
		tried = append(tried, fmt.Sprintf("%s: %s", name, bytes.TrimSpace(out)))
	}
	t.Skipf("the Python libraries are in no engine's root that is up:\n%s", strings.Join(tried, "\n"))
	return "", ""
}

// engineExec is a command inside an engine's root.
func engineExec(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	script, err := filepath.Abs("../../../scripts/engines")
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(script, append([]string{"exec", name}, args...)...)
}

// pyError is an exception.
type pyError struct{ Type, Text string }

func (e *pyError) Error() string { return e.Type + ": " + e.Text }

// try evaluates an expression in which c is the container with that ID, if it is
// not "", and returns what JSON has for its value.
func (p *python) try(id, expr string) (any, error) {
	p.t.Helper()
	line, err := json.Marshal(map[string]any{"id": id, "expr": strings.TrimSpace(expr), "with": p.with})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		p.t.Fatalf("%s: %v", expr, err)
	}
	answer, err := p.out.ReadBytes('\n')
	if err != nil {
		p.t.Fatalf("%s: %v", expr, err)
	}
	var a struct {
		Value any
		Error string
		Text  string
	}
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	if err := d.Decode(&a); err != nil {
		p.t.Fatalf("%s: %v in %q", expr, err, answer)
	}
	if a.Error != "" {
		return nil, &pyError{a.Error, a.Text}
	}
	return unbase64(a.Value), nil
}

// eval is try of an expression that must not raise.
func (p *python) eval(id, expr string) any {
	p.t.Helper()
	v, err := p.try(id, expr)
	if err != nil {
		p.t.Fatalf("%s: %v", expr, err)
	}
	return v
}

// dict is eval of an expression that is a dict.
func (p *python) dict(id, expr string) map[string]any {
	p.t.Helper()
	m, ok := p.eval(id, expr).(map[string]any)
	if !ok {
		p.t.Fatalf("%s is no dict", expr)
	}
	return m
}

// bytes are what Python calls bytes.
type pyBytes string

// unbase64 finds the bytes in a value.
func unbase64(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if s, ok := v["base64"].(string); ok && len(v) == 1 {
			b, err := base64.StdEncoding.DecodeString(s)
			if err == nil {
				return pyBytes(b)
			}
		}
		for k := range v {
			v[k] = unbase64(v[k])
		}
	case []any:
		for i := range v {
			v[i] = unbase64(v[i])
		}
	}
	return v
}
