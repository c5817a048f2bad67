package docker

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

// TestTmpfsMode: a mode that an old runc would ignore is refused once the container tells that the image has the directory, and the container is removed.
func TestTmpfsMode(t *testing.T) {
	const stat = "eyJuYW1lIjoiZXRjIiwibW9kZSI6MjE0NzQ4NDE0MX0=" // {"name":"etc","mode":2147484141}: a directory, 0755
	old := map[string]any{"RuncCommit": map[string]any{"ID": "1.1.5+ds1-1+deb12u1"}}
	for name, tt := range map[string]struct {
		info    map[string]any
		runtime string
		status  int // of the stat
		want    []string
		refused bool
	}{
		"old":              {old, "", 200, []string{"POST create", "HEAD archive", "DELETE a"}, true},
		"no such":          {old, "", 404, []string{"POST create", "HEAD archive"}, false},
		"new":              {nil, "", 200, []string{"POST create"}, false},
		"new by shim":      {nil, "io.containerd.runc.v2", 200, []string{"POST create"}, false},
		"crun":             {map[string]any{"Runtimes": map[string]any{"other": map[string]any{"path": "/usr/bin/crun"}}}, "other", 200, []string{"POST create"}, false},
		"nvidia, old":      {map[string]any{"DefaultRuntime": "nvidia", "Runtimes": map[string]any{"nvidia": map[string]any{"path": "nvidia-container-runtime"}}, "RuncCommit": old["RuncCommit"]}, "", 200, []string{"POST create", "HEAD archive", "DELETE a"}, true},
		"nvidia, new":      {map[string]any{"DefaultRuntime": "nvidia", "Runtimes": map[string]any{"nvidia": map[string]any{"path": "nvidia-container-runtime"}}}, "", 200, []string{"POST create"}, false},
		"nobody knows":     {map[string]any{"DefaultRuntime": "kata"}, "", 200, []string{"POST create", "HEAD archive", "DELETE a"}, true},
		"the stat refused": {old, "", 500, []string{"POST create", "HEAD archive", "DELETE a"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{info: tt.info, handle: func(w http.ResponseWriter, r *http.Request, _ string) {
				switch r.Method {
				case http.MethodPost:
					answer(w, 201, `{"Id":"a"}`)
				case http.MethodHead:
					w.Header().Set(pathStatHeader, stat)
					w.WriteHeader(tt.status)
				case http.MethodDelete:
					w.WriteHeader(204)
				}
			}}
			e := openFake(t, f)
			m := engine.Tmpfs("/etc")
			m.Mode = new(fs.FileMode(0o700))
			_, err := e.ContainerCreate(t.Context(), &engine.Spec{Image: "i", Runtime: tt.runtime, Mounts: []engine.Mount{m}}, engine.CreateOptions{})
			if u, ok := errors.AsType[*engine.UnsupportedError](err); ok != tt.refused || ok && (u.Option != "Spec.Mounts[0].Mode" || u.Value != "0700") || !ok && (err != nil) != (tt.status == 500) {
				t.Errorf("create = %v", err)
			}
			var got []string
			for _, r := range f.requests() {
				path, _, _ := strings.Cut(r.URI, "?")
				got = append(got, r.Method+" "+path[strings.LastIndex(path, "/")+1:])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}
