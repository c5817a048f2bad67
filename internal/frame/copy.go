package frame

import "io"

// copyBuffer is the size in bytes of the one buffer of a Copy: twice the largest frame that Docker sends.
const copyBuffer = 64 << 10

// Copy demultiplexes r until its end: payloads of streams Stdin and Stdout go to stdout, those of Stderr to stderr, in their order, as they arrive. A nil writer discards. It returns how many bytes of
// payload it passed on or discarded.
//
// The error is nil at the end of the stream between two frames, io.ErrUnexpectedEOF at its end within one, *HeaderError for a header that is none, *SystemError for a frame of stream SystemErr (what follows it is not read), else
// the reader's or the writer's own. Bytes of r beyond the error may have been consumed. Copy allocates one buffer, nothing per frame, and passes payloads on without copying them within memory.
func Copy(stdout, stderr io.Writer, r io.Reader) (n int64, err error) {
	d := demux{writers: [...]io.Writer{Stdin: stdout, Stdout: stdout, Stderr: stderr}}
	buf := make([]byte, copyBuffer)
	for empty := 0; ; {
		m, err := r.Read(buf)
		if werr := d.feed(buf[:m]); werr != nil {
			return d.n, werr
		}
		switch {
		case err == io.EOF:
			return d.n, d.end()
		case err != nil:
			return d.n, err
		case m > 0:
			empty = 0
		default:
			if empty++; empty == maxEmptyReads {
				return d.n, io.ErrNoProgress
			}
		}
	}
}

// demux is the state of a Copy between two reads.
type demux struct {
	writers [SystemErr]io.Writer // by stream; nil discards
	n       int64                // bytes of payload passed on
	offset  int64                // bytes of the stream consumed

	header [headerSize]byte // of the next frame, as far as it is there
	have   int              // bytes of header

	stream Stream // of the current payload
	left   int64  // bytes of it still to come
	text   []byte // of a SystemErr frame
}

// feed consumes p, the next bytes of the stream.
func (d *demux) feed(p []byte) error {
	for len(p) > 0 {
		var m int
		var err error
		if d.left > 0 {
			m = int(min(d.left, int64(len(p))))
			err = d.payload(p[:m])
		} else {
			m, err = d.begin(p)
		}
		if err != nil {
			return err
		}
		p = p[m:]
	}
	return nil
}

// begin consumes bytes of a header from p and says how many.
func (d *demux) begin(p []byte) (int, error) {
	m := copy(d.header[d.have:], p)
	d.have += m
	if err := checkHeader(d.header[:d.have], d.offset); err != nil {
		return m, err
	}
	if d.have < headerSize {
		return m, nil
	}
	d.have = 0
	d.offset += headerSize
	d.stream, d.left = parseHeader(d.header[:])
	if d.stream == SystemErr && d.left == 0 {
		return m, newSystemError(nil)
	}
	return m, nil
}

// payload passes p on, which is all or part of the current payload.
func (d *demux) payload(p []byte) error {
	d.left -= int64(len(p))
	d.offset += int64(len(p))
	if d.stream == SystemErr {
		d.text = append(d.text, p[:min(len(p), maxSystemError-len(d.text))]...)
		if d.left == 0 || len(d.text) == maxSystemError {
			return newSystemError(d.text)
		}
		return nil
	}
	w := d.writers[d.stream]
	if w == nil {
		d.n += int64(len(p))
		return nil
	}
	m, err := w.Write(p)
	d.n += int64(m)
	if err == nil && m < len(p) {
		err = io.ErrShortWrite
	}
	return err
}

// end returns what the end of the stream means here. An engine's error text that is cut short is still the best thing to say.
func (d *demux) end() error {
	switch {
	case len(d.text) > 0:
		return newSystemError(d.text)
	case d.have > 0 || d.left > 0:
		return io.ErrUnexpectedEOF
	}
	return nil
}
