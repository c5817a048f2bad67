package podman

import (
	"archive/tar"
	"encoding/json"
	"io"
	"path"
	"testing"
)

type jsonText = json.RawMessage

// tarNames are the names of the entries of an archive, cleaned.
func tarNames(t *testing.T, r io.Reader) []string {
	t.Helper()
	var names []string
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, path.Clean(h.Name))
	}
}
