//go:build linux

package layer

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// The journal has everything of a tar but the content of regular files, so that
// the same tar, and therefore the same digest, can be given again. It is
// gzip-compressed; records follow each other:
//
//	0 LENGTH BYTES…              bytes of the tar
//	1 NUMBER SIZE LENGTH PATH…   SIZE bytes of the file that entry NUMBER made at PATH
//
// Numbers are unsigned varints. A file that the same tar replaced later is not
// at its PATH any more, but in the directory of replaced files under its NUMBER.
type journal struct {
	gz  *gzip.Writer
	buf *bufio.Writer
	raw []byte // bytes of the tar not yet written
	err error
}

const (
	recordRaw  = 0
	recordFile = 1
	// maxRaw bounds a raw record, and with it the reader's memory.
	maxRaw = 1 << 16
	// maxPath bounds a path: the tar reader bounds what it takes for one to 1 MiB.
	maxPath = 1 << 20
)

func newJournal(w io.Writer) *journal {
	gz, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
	return &journal{gz: gz, buf: bufio.NewWriterSize(gz, 1<<15)}
}

// bytes adds bytes of the tar.
func (j *journal) bytes(p []byte) {
	for len(p) > 0 {
		n := min(len(p), maxRaw-len(j.raw))
		j.raw = append(j.raw, p[:n]...)
		p = p[n:]
		if len(j.raw) == maxRaw {
			j.flush()
		}
	}
}

func (j *journal) flush() {
	if len(j.raw) > 0 {
		j.numbers(recordRaw, uint64(len(j.raw)))
		j.write(j.raw)
		j.raw = j.raw[:0]
	}
}

// file says that the content of a regular file comes here in the tar.
func (j *journal) file(number int, size int64, path string) {
	j.flush()
	j.numbers(recordFile, uint64(number), uint64(size), uint64(len(path)))
	j.write([]byte(path))
}

func (j *journal) numbers(list ...uint64) {
	var b []byte
	for _, n := range list {
		b = binary.AppendUvarint(b, n)
	}
	j.write(b)
}

func (j *journal) write(p []byte) {
	if j.err == nil {
		_, j.err = j.buf.Write(p)
	}
}

// close completes the journal; it does not close what it is written to.
func (j *journal) close() error {
	j.flush()
	return errors.Join(j.err, j.buf.Flush(), j.gz.Close())
}

// Replay writes the tar that was unpacked into dir. Journal and replaced are what
// Apply has written. That the tar has the digest diffID is known at its end only;
// another one is an error: the layer was changed on disk.
func Replay(ctx context.Context, w io.Writer, dir, replaced string, journal io.Reader, diffID string) error {
	t, err := openTree(dir)
	if err != nil {
		return fmt.Errorf("replay layer: %w", err)
	}
	defer t.close()
	hash := sha256.New()
	if err := replay(ctx, io.MultiWriter(w, hash), t, replaced, journal); err != nil {
		return fmt.Errorf("replay layer: %w", err)
	}
	if got := "sha256:" + hex.EncodeToString(hash.Sum(nil)); got != diffID {
		return fmt.Errorf("replay layer: it was changed on disk: its digest is %s, want %s", got, diffID)
	}
	return nil
}

func replay(ctx context.Context, w io.Writer, t *tree, replaced string, journal io.Reader) error {
	gz, err := gzip.NewReader(bufio.NewReader(journal))
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	r := bufio.NewReader(gz)
	buf := make([]byte, 1<<17)
	for {
		kind, err := binary.ReadUvarint(r)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			switch kind {
			case recordRaw:
				err = replayRaw(w, r, buf)
			case recordFile:
				err = replayFile(ctx, w, r, t, replaced, buf)
			default:
				err = fmt.Errorf("record of unknown kind %d", kind)
			}
		}
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("journal: %w", err)
		}
	}
}

func replayRaw(w io.Writer, r *bufio.Reader, buf []byte) error {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return err
	}
	if n > maxRaw {
		return errors.New("record is too long")
	}
	if _, err := io.ReadFull(r, buf[:n]); err != nil {
		return err
	}
	_, err = w.Write(buf[:n])
	return err
}

func replayFile(ctx context.Context, w io.Writer, r *bufio.Reader, t *tree, replaced string, buf []byte) error {
	var numbers [3]uint64
	for i := range numbers {
		var err error
		if numbers[i], err = binary.ReadUvarint(r); err != nil {
			return err
		}
	}
	if numbers[2] > maxPath || numbers[1] > 1<<62 {
		return errors.New("record is too long")
	}
	name := make([]byte, numbers[2])
	if _, err := io.ReadFull(r, name); err != nil {
		return err
	}
	f, err := (*os.File)(nil), os.ErrNotExist
	if replaced != "" {
		f, err = os.Open(filepath.Join(replaced, strconv.FormatUint(numbers[0], 10)))
	}
	if errors.Is(err, os.ErrNotExist) {
		f, err = t.open(string(name))
	}
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.CopyBuffer(w, &contextReader{ctx, io.LimitReader(f, int64(numbers[1]))}, buf)
	if err == nil && n != int64(numbers[1]) {
		err = fmt.Errorf("%s is %d bytes long, want %d", name, n, numbers[1])
	}
	return err
}

// contextReader gives up reading when its context is done.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
