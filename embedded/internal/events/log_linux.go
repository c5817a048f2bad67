package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// Log is the event log below a root directory. Its methods are safe for
// concurrent use, by several processes too. There is nothing to close.
type Log struct {
	root string
	max  int64 // bytes of the file, beyond which its first half goes
}

const (
	file     = "events"
	lockFile = "events.lock"
	maxSize  = 4 << 20
)

// Open opens the log; the file is made by the first event.
func Open(root string) *Log { return &Log{root, maxSize} }

func (l *Log) path(name string) string { return filepath.Join(l.root, name) }

// The file has one event a line. Its first line may be a header instead: how
// many bytes of events there were before those that it has. So a reader knows where it is when the file is cut.
type header struct {
	Base *int64 `json:"base"`
}

// Emit appends events. A zero Time is now. Type and Action are Berth's neutral words;
// of a container, Name, Image and ExitCode may be given as fields or as attributes.
func (l *Log) Emit(events ...engine.Event) error {
	if len(events) == 0 {
		return nil
	}
	if err := l.emit(events); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	return nil
}

func (l *Log) emit(events []engine.Event) error {
	lock, err := l.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	f, err := open(l.path(file), unix.O_APPEND)
	if err != nil {
		return err
	}
	defer f.Close()
	var lines []byte
	for _, ev := range events {
		if ev.Time.IsZero() {
			ev.Time = time.Now() // in the order of the lines, as the lock is held
		}
		line, err := encode(&ev)
		if err != nil {
			return err
		}
		lines = append(lines, line...)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	last := []byte{'\n'}
	if size > 0 {
		if _, err := f.ReadAt(last, size-1); err != nil {
			return err
		}
	}
	if last[0] != '\n' { // a process, or the machine, has died in a write
		lines = append([]byte{'\n'}, lines...)
	}
	if _, err := f.Write(lines); err != nil {
		return errors.Join(err, f.Truncate(size)) // a full disk may have taken a part
	}
	if size += int64(len(lines)); size > l.max {
		l.cut(f, size) // the events are written; a file that could not be cut now will be the next time
	}
	return nil
}

func (l *Log) lock() (*os.File, error) {
	f, err := open(l.path(lockFile), 0)
	if err != nil {
		return nil, err
	}
	for {
		switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err {
		case nil:
			return f, nil
		case unix.EINTR:
		default:
			f.Close()
			return nil, &os.PathError{Op: "flock", Path: f.Name(), Err: err}
		}
	}
}

// open is os.OpenFile for a file that is made if it is missing, without the attempt to poll it: five system calls
// that events pay for twice.
func open(path string, flags int) (*os.File, error) {
	for {
		switch fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC|flags, 0o600); err {
		case nil:
			return os.NewFile(uintptr(fd), path), nil
		case unix.EINTR:
		default:
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

// cut replaces the file with one that has its newer half. The caller holds the lock.
func (l *Log) cut(f *os.File, size int64) error {
	base, head, err := readHeader(f)
	if err != nil {
		return err
	}
	tail := make([]byte, l.max/2)
	from := size - int64(len(tail))
	if _, err := f.ReadAt(tail, from); err != nil {
		return err
	}
	end := bytes.IndexByte(tail, '\n') + 1 // of the line that is cut in two
	base += from + int64(end) - head
	text, err := json.Marshal(header{&base})
	if err != nil {
		return err
	}
	temp := l.path(file + ".tmp")
	err = os.WriteFile(temp, append(append(text, '\n'), tail[end:]...), 0o600)
	if err == nil {
		err = os.Rename(temp, l.path(file))
	}
	if err != nil {
		os.Remove(temp)
	}
	return err
}

// readHeader returns how many bytes of events there were before the file's, and the length of its header.
func readHeader(f *os.File) (base, length int64, err error) {
	buf := make([]byte, 64)
	n, err := f.ReadAt(buf, 0)
	if err != nil && err != io.EOF {
		return 0, 0, err
	}
	line, _, ok := bytes.Cut(buf[:n], []byte{'\n'})
	h := header{}
	if !ok || json.Unmarshal(line, &h) != nil || h.Base == nil {
		return 0, 0, nil
	}
	return *h.Base, int64(len(line)) + 1, nil
}
