package berth

import (
	"bytes"
	"context"
	"io"
	"strconv"

	"github.com/berthdev/berth/engine"
)

// getArchive is the engine's archive of a path, of which no part can be missing unseen.
func (c *Container) getArchive(ctx context.Context, name string, o engine.ArchiveOptions) (io.ReadCloser, PathStat, error) {
	rc, stat, err := c.cli.e.ContainerGetArchive(ctx, c.id, name, o)
	if err != nil {
		return nil, PathStat{}, err
	}
	return &wholeTar{ReadCloser: rc}, stat, nil
}

// wholeTar reads a tar that an engine streams. Engines have answered when they
// begin to read the files, and a failure then is a stream that ends in the usual
// way: one without the two blocks of zeros that end a tar is [io.ErrUnexpectedEOF].
type wholeTar struct {
	io.ReadCloser
	scan tarScan
}

func (w *wholeTar) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.scan.see(p[:n])
	if err == io.EOF && !w.scan.ended() {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

const (
	tarBlock = 512
	maxPax   = 1 << 20 // as archive/tar has it
)

// tarScan follows a tar from header to header (POSIX.1, pax and ustar; GNU's
// large numbers). What is no tar is none of its business: it then has ended.
type tarScan struct {
	block  []byte // of the header that is being read
	skip   int64  // bytes to pass over before the next header
	pax    []byte // the extended header that is being read, its padding included
	inPax  bool
	paxLen int64
	size   int64 // what an extended header says of the next file; -1 when none does
	sized  bool
	zeros  int // blocks of zeros in a row
	broken bool
}

func (s *tarScan) ended() bool { return s.zeros >= 2 || s.broken }

func (s *tarScan) see(p []byte) {
	for len(p) > 0 && !s.ended() {
		if s.skip > 0 {
			n := min(s.skip, int64(len(p)))
			if s.inPax {
				s.pax = append(s.pax, p[:n]...)
			}
			p, s.skip = p[n:], s.skip-n
			if s.skip == 0 && s.inPax {
				s.endPax()
			}
			continue
		}
		n := min(tarBlock-len(s.block), len(p))
		s.block = append(s.block, p[:n]...)
		if p = p[n:]; len(s.block) == tarBlock {
			s.header()
			s.block = s.block[:0]
		}
	}
}

// header takes a header block in.
func (s *tarScan) header() {
	if bytes.Count(s.block, []byte{0}) == tarBlock {
		s.zeros++
		return
	}
	s.zeros = 0
	size, ok := tarNumber(s.block[124:136])
	if !ok {
		s.broken = true
		return
	}
	switch flag := s.block[156]; flag {
	case '1', '2', '3', '4', '5', '6': // links, devices, directories, pipes: no content, whatever the size
		size, s.sized = 0, false
	case 'x':
		if s.inPax = size <= maxPax; !s.inPax {
			s.broken = true
			return
		}
		s.pax, s.paxLen = s.pax[:0], size
	case 'g', 'L', 'K': // of what follows
	default:
		if s.sized {
			size, s.sized = s.size, false
		}
	}
	s.skip = (size + tarBlock - 1) / tarBlock * tarBlock
	if s.skip == 0 && s.inPax {
		s.endPax()
	}
}

// endPax looks for the size in an extended header: records of "LENGTH KEY=VALUE\n".
func (s *tarScan) endPax() {
	s.inPax = false
	for text := s.pax[:s.paxLen]; len(text) > 0; {
		digits, _, ok := bytes.Cut(text, []byte(" "))
		n, err := strconv.Atoi(string(digits))
		if !ok || err != nil || n <= len(digits)+1 || n > len(text) {
			s.broken = true
			return
		}
		if value, ok := bytes.CutPrefix(text[len(digits)+1:n], []byte("size=")); ok {
			size, err := strconv.ParseInt(string(bytes.TrimSuffix(value, []byte("\n"))), 10, 64)
			if err != nil || size < 0 || size > 1<<62 {
				s.broken = true
				return
			}
			s.size, s.sized = size, true
		}
		text = text[n:]
	}
}

// tarNumber reads a number of a header: octal, or GNU's base 256.
func tarNumber(field []byte) (int64, bool) {
	if field[0]&0x80 != 0 {
		n := int64(field[0] & 0x7f)
		for _, b := range field[1:] {
			if n > 1<<54 {
				return 0, false
			}
			n = n<<8 | int64(b)
		}
		return n, true
	}
	text := string(bytes.Trim(field, " \x00"))
	if text == "" {
		return 0, true
	}
	n, err := strconv.ParseInt(text, 8, 64)
	return n, err == nil && n >= 0
}
