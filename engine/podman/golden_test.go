package podman

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

var update = flag.Bool("update", false, "write the goldens")

// separator stands between the spec and the versions of a golden.
const separator = "----------\n"

// TestCreateGoldens holds the requests of ContainerCreate, one file a case: a spec, then, for each version ("5.8.2", "5.8.2 cgroup v2 rootless"), what it sends ("METHOD PATH", the body), or its error.
func TestCreateGoldens(t *testing.T) {
	files, err := filepath.Glob("testdata/create/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(string(b), separator)
			var spec engine.Spec
			d := json.NewDecoder(strings.NewReader(parts[0]))
			d.DisallowUnknownFields()
			if err := d.Decode(&spec); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			out.WriteString(parts[0])
			for _, part := range parts[1:] {
				version, _, _ := strings.Cut(part, "\n")
				fmt.Fprintf(&out, "%s%s\n%s", separator, version, createRequests(t, version, &spec))
			}
			if *update {
				if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(b), out.String()); diff != "" {
				t.Errorf("-want +got (see -update):\n%s", diff)
			}
		})
	}
}

// goldenFake is a service of a version, in words, with an image that says something.
func goldenFake(version string) *fake {
	words := strings.Fields(version)
	f := &fake{version: words[0]}
	for _, w := range words[1:] {
		switch w {
		case "v2":
			f.cgroup = "v2"
		case "rootless":
			f.info = `"security":{"rootless":true,"apparmorEnabled":true},`
		}
	}
	if f.info == "" {
		f.info = `"security":{"apparmorEnabled":true},`
	}
	f.handle = func(w http.ResponseWriter, r *http.Request, body string) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/containers/create"):
			answer(w, 201, `{"Id":"0123","Warnings":[]}`)
		case strings.Contains(r.URL.Path, "/images/plain/"):
			answer(w, 200, `{"Id":"1","Os":"linux","Architecture":"arm64","Config":{"Cmd":["sh"]}}`)
		case strings.Contains(r.URL.Path, "/images/"):
			answer(w, 200, `{"Id":"1","Os":"linux","Architecture":"amd64","Config":{"Entrypoint":["/entry"],"Cmd":["cmd"]},"Healthcheck":{"Test":["CMD","/well"],"Interval":5000000000}}`)
		case strings.HasSuffix(r.URL.Path, "/volumes/create"):
			answer(w, 201, `{"Name":"v"}`)
		default:
			fail(w, 404, "no such volume", "no such volume")
		}
	}
	return f
}

// createRequests is what creating spec sends to an engine of a version.
func createRequests(t *testing.T, version string, spec *engine.Spec) string {
	f := goldenFake(version)
	e := openFake(t, f)
	_, err := e.ContainerCreate(t.Context(), spec, engine.CreateOptions{})
	var out strings.Builder
	for _, r := range f.requests() {
		fmt.Fprintf(&out, "%s\n", r)
		if r.Body != "" {
			var indented bytes.Buffer
			if err := json.Indent(&indented, []byte(r.Body), "", "  "); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "%s\n", indented.String())
		}
	}
	if err != nil {
		fmt.Fprintf(&out, "error: %v\n", err)
	}
	return out.String()
}

// goldenSpec is the spec of a golden.
func goldenSpec(t *testing.T, name string) engine.Spec {
	t.Helper()
	b, err := os.ReadFile("testdata/create/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(b), separator)
	var spec engine.Spec
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		t.Fatal(err)
	}
	return spec
}
