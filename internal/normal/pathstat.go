package normal

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
)

// maxStatHeader is more than a name and a link target of PATH_MAX come to.
const maxStatHeader = 64 << 10

// urlToStd replaces base64's alphabet for URLs by the usual one.
var urlToStd = strings.NewReplacer("-", "+", "_", "/")

// StatHeader decodes the header X-Docker-Container-Path-Stat of the archive
// endpoints: base64, in either alphabet, of a JSON object. Mode holds Go's file mode bits.
func StatHeader(header string) (engine.PathStat, error) {
	if len(header) > maxStatHeader {
		return engine.PathStat{}, fmt.Errorf("decode path stat: %d bytes are too many", len(header))
	}
	text, err := base64.RawStdEncoding.DecodeString(urlToStd.Replace(strings.TrimRight(header, "=")))
	if err != nil {
		return engine.PathStat{}, fmt.Errorf("decode path stat: %w", err)
	}
	var s struct {
		Name       *string     `json:"name"`
		Size       int64       `json:"size"`
		Mode       fs.FileMode `json:"mode"`
		ModTime    time.Time   `json:"mtime"`
		LinkTarget string      `json:"linkTarget"`
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return engine.PathStat{}, fmt.Errorf("decode path stat: %w", err)
	}
	if s.Name == nil || s.Size < 0 {
		return engine.PathStat{}, fmt.Errorf("decode path stat: no name, or a negative size, in %q", text)
	}
	return engine.PathStat{Name: *s.Name, Size: s.Size, Mode: s.Mode, ModTime: s.ModTime, LinkTarget: s.LinkTarget}, nil
}
