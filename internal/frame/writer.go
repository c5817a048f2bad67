package frame

import (
	"io"
	"math"
)

// Writer frames what is written to it, for an engine that produces streams. Several Writers may share one underlying writer when that one serialises its Write calls: each frame is one call.
type Writer struct {
	w   io.Writer
	s   Stream
	buf []byte // header and payload, kept between calls
}

// NewWriter returns a Writer of frames of stream s to w.
func NewWriter(w io.Writer, s Stream) *Writer { return &Writer{w: w, s: s} }

// Write writes p as one frame, in one Write call to the underlying writer. An empty p writes nothing. It returns how much of p was written.
func (w *Writer) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		m, err := w.frame(p[:min(int64(len(p)), math.MaxUint32)])
		n += m
		if err != nil {
			return n, err
		}
		p = p[m:]
	}
	return n, nil
}

func (w *Writer) frame(p []byte) (int, error) {
	w.buf = append(append(w.buf[:0], make([]byte, headerSize)...), p...)
	putHeader(w.buf, w.s, len(p))
	n, err := w.w.Write(w.buf)
	if err == nil && n < len(w.buf) {
		err = io.ErrShortWrite
	}
	return max(0, n-headerSize), err
}
