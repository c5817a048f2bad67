package frame

import "io"

// Reader reads a multiplexed stream frame by frame, for those who need to know where each payload begins (lines with their stream and
// time). It does not buffer: give it a bufio.Reader when the source is a connection.
type Reader struct {
	r      io.Reader
	left   int64 // of the current payload
	offset int64 // in r
	err    error // sticky
	header [headerSize]byte
}

// NewReader returns a Reader of the frames of r.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Next skips what is left of the current payload and returns the stream and size in bytes of the next one that is not empty, which Read then reads.
//
// The error is io.EOF at the end of the stream between two frames, io.ErrUnexpectedEOF at its end within one, *HeaderError for a header that is none, *SystemError for a frame of
// stream SystemErr (its text is read; frames after it are not), else r's own. Errors are final: every later call returns the same one.
func (r *Reader) Next() (Stream, int64, error) {
	if r.err != nil {
		return 0, 0, r.err
	}
	if r.left > 0 {
		n, err := io.CopyN(io.Discard, r.r, r.left)
		r.left -= n
		r.offset += n
		if err != nil {
			return 0, 0, r.fail(err)
		}
	}
	for {
		if err := r.readHeader(); err != nil {
			r.err = err
			return 0, 0, err
		}
		s, size := parseHeader(r.header[:])
		r.offset += headerSize
		r.left = size
		switch {
		case s == SystemErr:
			return 0, 0, r.systemError(size)
		case size > 0:
			return s, size, nil
		}
	}
}

// Read reads from the payload of the current frame and returns io.EOF at its end, and before the first Next. A payload cut short is io.ErrUnexpectedEOF.
func (r *Reader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	if r.err != nil {
		return 0, r.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if int64(len(p)) > r.left {
		p = p[:r.left]
	}
	n, err := r.r.Read(p)
	r.left -= int64(n)
	r.offset += int64(n)
	if err == nil || r.left == 0 {
		return n, nil // an error with the last byte comes again at the next header
	}
	return n, r.fail(err)
}

// fail keeps err, met inside a payload, as the final error.
func (r *Reader) fail(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	r.err = err
	return err
}

func (r *Reader) systemError(size int64) error {
	text, err := io.ReadAll(io.LimitReader(r.r, min(size, maxSystemError)))
	r.left -= int64(len(text))
	r.offset += int64(len(text))
	switch {
	case err != nil && len(text) == 0:
		return r.fail(err)
	case len(text) == 0 && size > 0:
		return r.fail(io.EOF)
	}
	r.err = newSystemError(text)
	return r.err
}

// readHeader fills r.header. It returns io.EOF when there is none.
func (r *Reader) readHeader() error {
	for have, empty := 0, 0; have < headerSize; {
		n, err := r.r.Read(r.header[have:])
		have += n
		if bad := checkHeader(r.header[:have], r.offset); bad != nil {
			return bad
		}
		switch {
		case have == headerSize:
			return nil // an error with the last byte comes again
		case err == io.EOF && have > 0:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case n > 0:
			empty = 0
		default:
			if empty++; empty == maxEmptyReads {
				return io.ErrNoProgress
			}
		}
	}
	return nil
}
