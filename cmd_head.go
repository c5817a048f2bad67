package berth

import (
	"io"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
)

// maxHead bounds what is held back of an output, in bytes.
const maxHead = 16 << 10

// head holds back the first lines of an output as long as they may be an engine's
// explanation of why there is no process, instead of a process's words. Docker
// writes "OCI runtime exec failed: …\r\n" to stdout, Podman "Error: …: OCI …\n" to
// stderr; a terminal's one output gets either. Everything else passes at once.
type head struct {
	stdout, stderr io.Writer

	open bool // nothing is held back any more
	held []byte
	from frame.Stream // where held came from
	text string       // the engine's words, after decide
}

// writer is the head's entrance for one stream.
func (h *head) writer(s frame.Stream) io.Writer { return headWriter{h, s} }

type headWriter struct {
	h *head
	s frame.Stream
}

func (w headWriter) Write(p []byte) (int, error) {
	h := w.h
	if !h.open {
		if len(h.held) == 0 {
			h.from = w.s
		}
		if h.from == w.s && len(h.held)+len(p) <= maxHead {
			h.held = append(h.held, p...)
			if mayBeEngine(string(h.held)) {
				return len(p), nil
			}
			h.release()
			return len(p), nil
		}
		h.release()
	}
	return h.sink(w.s).Write(p)
}

func (h *head) sink(s frame.Stream) io.Writer {
	if s == frame.Stderr {
		return h.stderr
	}
	return h.stdout
}

// holds tells that something is held back still.
func (h *head) holds() bool { return len(h.held) > 0 }

// release passes on what was held back, and from now on everything.
func (h *head) release() {
	h.open = true
	if len(h.held) > 0 {
		h.sink(h.from).Write(h.held)
		h.held = nil
	}
}

// decide says whose words are held back, after the process's end; st is nil when
// that could not be learnt.
func (h *head) decide(st *engine.ExecState) {
	text := strings.TrimRight(string(h.held), "\r\n")
	if st == nil || st.ExitCode == nil || *st.ExitCode < 125 || *st.ExitCode > 127 || !isEngine(string(h.held), st.Started && st.PID != 0) {
		h.release()
		return
	}
	h.open, h.held, h.text = true, nil, text
}

// dockerHeads begin Docker's only line.
var dockerHeads = []string{"OCI runtime exec failed: ", "unable to find user "}

// podmanHead begins each of Podman's lines, and one of podmanWords is in it.
const podmanHead = "Error: "

var podmanWords = []string{"OCI runtime attempted to invoke a command that was not found", "OCI permission denied", ": exec failed: ", ": read: connection reset by peer"}

// mayBeEngine tells whether text, the beginning of an output, can still turn out to be an engine's.
func mayBeEngine(text string) bool {
	for _, start := range dockerHeads {
		if strings.HasPrefix(start, text) {
			return true
		}
		if strings.HasPrefix(text, start) {
			line, rest, complete := strings.Cut(text, "\n")
			return !complete || strings.HasSuffix(line, "\r") && rest == ""
		}
	}
	for line := range strings.Lines(text) {
		switch {
		case strings.HasSuffix(line, "\n"):
			if !isPodmanLine(line) {
				return false
			}
		case !strings.HasPrefix(podmanHead, line) && !strings.HasPrefix(line, podmanHead):
			return false
		}
	}
	return true
}

// isEngine tells whether text is all that an engine says of an exec that failed. A process may
// say the same: Docker remembers the process ID of one that was there, and its words are then the process's.
// Podman remembers none.
func isEngine(text string, ran bool) bool {
	if !strings.HasSuffix(text, "\n") {
		return false
	}
	if !strings.HasPrefix(text, podmanHead) {
		return !ran
	}
	for line := range strings.Lines(text) {
		if !isPodmanLine(line) {
			return false
		}
	}
	return true
}

func isPodmanLine(line string) bool {
	if !strings.HasPrefix(line, podmanHead) {
		return false
	}
	for _, words := range podmanWords {
		if strings.Contains(line, words) {
			return true
		}
	}
	return false
}
