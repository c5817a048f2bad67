//go:build linux

package logs

import (
	"io"
	"path/filepath"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/internal/frame"
)

// fileName is the file that is written to; fileName.1 is the one before, and so on.
const fileName = "container-json.log"

// Path is the file in dir that is written to, as inspect shows it.
func Path(dir string) string { return filepath.Join(dir, fileName) }

// Writer writes a container's log. It is safe for concurrent use.
type Writer struct{}

// NewWriter opens the log in the directory dir, which exists, and goes on after what is there.
// The driver none gives a Writer that keeps nothing; drivers other than it, json-file
// and local (which is json-file here) are an UnsupportedError.
func NewWriter(dir string, cfg state.Log) (*Writer, error) { return &Writer{}, nil }

// Write takes output of a stream, Stdout or Stderr, as it comes. Lines that are
// complete are in the file when it returns. After an error the log may lack lines, and can be written on.
func (w *Writer) Write(s frame.Stream, p []byte) error { return nil }

// Stream is Write of one stream, for io.Copy. It never fails: a log that cannot be written must not
// stop the container. The first error since the last Err is kept for it.
func (w *Writer) Stream(s frame.Stream) io.Writer { return io.Discard }

// Err returns and forgets the first error of the writers that Stream gave.
func (w *Writer) Err() error { return nil }

// Flush writes what lines without an end there are: the process has ended.
func (w *Writer) Flush() error { return nil }

// Close flushes and closes the file, which tells those who follow it to look whether the container has
// ended: the caller has made that known before.
func (w *Writer) Close() error { return nil }
