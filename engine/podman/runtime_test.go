package podman

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
	for name, tt := range map[string]struct {
		version, runtime string
		status           int // of the stat
		want             []string
		refused          bool
	}{
		"old":         {"1.1.5+ds1", "", 200, []string{"GET json", "POST create", "HEAD archive", "DELETE a"}, true},
		"old by path": {"1.1.5+ds1", "/usr/bin/runc", 200, []string{"GET json", "POST create", "HEAD archive", "DELETE a"}, true},
		"no such":     {"1.1.5+ds1", "", 404, []string{"GET json", "POST create", "HEAD archive"}, false},
		"new":         {"1.2.0", "", 200, []string{"GET json", "POST create"}, false},
		"new by name": {"1.2.0", "runc", 200, []string{"GET json", "POST create"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{runtime: tt.version, handle: func(w http.ResponseWriter, r *http.Request, _ string) {
				switch r.Method {
				case http.MethodGet:
					answer(w, 200, `{"Id":"0123","Config":{}}`)
				case http.MethodPost:
					answer(w, 201, `{"Id":"a"}`)
				case http.MethodHead:
					w.Header().Set(statHeader, stat)
					w.WriteHeader(tt.status)
				case http.MethodDelete:
					answer(w, 200, `[]`)
				}
			}}
			e := openFake(t, f)
			m := engine.Tmpfs("/etc")
			m.Mode = new(fs.FileMode(0o700))
			_, err := e.ContainerCreate(t.Context(), &engine.Spec{Image: "i", Runtime: tt.runtime, Mounts: []engine.Mount{m}}, engine.CreateOptions{})
			if u, ok := errors.AsType[*engine.UnsupportedError](err); ok != tt.refused || ok && (u.Option != "Spec.Mounts[0].Mode" || u.Value != "0700") || !ok && err != nil {
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
