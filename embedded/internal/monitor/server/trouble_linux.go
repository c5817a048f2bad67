package server

import (
	"log/slog"
	"os"
	"sync"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// What a monitor cannot do for its container while that runs must not stop it, and nobody is there to return it to. The
// first such failure of a run that means a loss (output that is not in the log, a state that could not be written) is
// told as the error of the run's state and of its end; warnings go to a file in the container's directory.

// trouble notes the first failure of a run. m.mu is held.
func (m *monitor) trouble(what string, err error) {
	m.log.Error(what, "error", err)
	if m.failure == "" {
		m.failure = what + ": " + err.Error()
	}
}

// writeRun writes the state of the run. m.mu is held.
func (m *monitor) writeRun(r *state.Run) {
	if r.Error == "" {
		r.Error = m.failure
	}
	if err := m.store.WriteRun(m.id, r); err != nil {
		m.trouble("the state could not be written", err)
	}
}

// writeExit writes the end of the run. Without it, the run counts as one whose end nobody has seen. m.mu is held.
func (m *monitor) writeExit(e *state.Exit) {
	if e.Error == "" {
		e.Error = m.failure
	}
	if err := m.store.WriteExit(m.id, e); err != nil {
		m.trouble("the end could not be written", err)
	}
}

// lostOutput is told of the first piece of output of a run that the log could not take.
func (m *monitor) lostOutput(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trouble("output is missing in the log", err)
	if r := m.run; r != nil && r.record.Status != engine.StatusInitialized {
		m.writeRun(&r.record)
	}
}

// logName is the file in the container's directory with what its monitors had to say.
const logName = "monitor.log"

// mostLogged bounds that file, in bytes.
const mostLogged = 64 << 10

// newLog is the logger of a monitor.
func newLog(path string) *slog.Logger {
	return slog.New(slog.NewTextHandler(&logFile{path: path}, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// logFile is a file that is made when there is something to write, and that does not grow for ever.
type logFile struct {
	path string
	mu   sync.Mutex
}

func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || st.Size() > mostLogged {
		return len(p), err
	}
	return f.Write(p)
}
