package berth

import "slices"

// tailSize is how much of each stream an ExitError carries, in bytes.
const tailSize = 64 << 10

// tail keeps the last tailSize bytes written to it. It is not safe for concurrent
// use.
type tail struct {
	buf  []byte // grows up to tailSize, then is a ring
	next int    // where the oldest byte is, once the ring is full
}

// write keeps p, or the end of it.
func (t *tail) write(p []byte) {
	n := len(p)
	if n >= tailSize {
		t.buf, t.next = append(t.buf[:0], p[n-tailSize:]...), 0
		return
	}
	room := min(tailSize-len(t.buf), n)
	t.buf = append(t.buf, p[:room]...)
	for p = p[room:]; len(p) > 0; {
		k := copy(t.buf[t.next:], p)
		t.next = (t.next + k) % tailSize
		p = p[k:]
	}

}

// bytes is a copy of what is kept, nil when nothing was written.
func (t *tail) bytes() []byte {
	if len(t.buf) < tailSize {
		return slices.Clone(t.buf)
	}
	return slices.Concat(t.buf[t.next:], t.buf[:t.next])
}
