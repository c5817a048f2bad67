package podman

import (
	"bufio"
	"io"

	"github.com/berthdev/berth/internal/frame"
)

// unframe is the payload of the frames of r, whatever their stream.
func unframe(r io.Reader) io.Reader { return &unframed{r: frame.NewReader(bufio.NewReader(r))} }

type unframed struct {
	r    *frame.Reader
	open bool // a frame is being read
}

func (u *unframed) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if !u.open {
			if _, _, err := u.r.Next(); err != nil {
				return 0, err
			}
			u.open = true
		}
		n, err := u.r.Read(p)
		if err == io.EOF {
			u.open, err = false, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// mended reads the frames of an attach with logs from Podman before 4.4, where the newline at the end of a logged line comes after the frame that it belongs to (podman#16856): no frame begins with a newline, so
// that it can be told, and put into a frame of its own.
type mended struct {
	r      *bufio.Reader
	out    []byte // what is ready to be read
	left   int64  // of the current payload, still in r
	stream byte   // of the current frame
	begun  bool   // there was a frame
}

func newMended(r io.Reader) *mended { return &mended{r: bufio.NewReaderSize(r, 64<<10)} }

const frameHeader = 8

func (m *mended) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if len(m.out) > 0 {
			n := copy(p, m.out)
			m.out = m.out[n:]
			return n, nil
		}
		if m.left > 0 {
			n, err := m.r.Read(p[:min(int64(len(p)), m.left)])
			m.left -= int64(n)
			return n, err
		}
		first, err := m.r.Peek(1)
		if err != nil {
			return 0, err
		}
		if m.begun && first[0] == '\n' {
			_, _ = m.r.Discard(1)
			m.out = []byte{m.stream, 0, 0, 0, 0, 0, 0, 1, '\n'}
			continue
		}
		head, err := m.r.Peek(frameHeader)
		if err != nil {
			// A header cut short: what there is of it is handed on, for the reader of the frames to say so.
			m.out = append([]byte(nil), head...)
			_, _ = m.r.Discard(len(head))
			continue
		}
		m.out = append([]byte(nil), head...)
		_, _ = m.r.Discard(frameHeader)
		m.begun, m.stream = true, head[0]
		m.left = int64(head[4])<<24 | int64(head[5])<<16 | int64(head[6])<<8 | int64(head[7])
	}
}
