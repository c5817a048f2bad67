package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// body is the Body of a response whose errors are this package's.
type body struct {
	io.ReadCloser
	ctx context.Context
	up  *upload // the request's body, which may still be being sent
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.ctx.Err() != nil {
		return 0, contextError(b.ctx)
	}
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil || err == io.EOF:
	case b.ctx.Err() != nil:
		err = contextError(b.ctx)
	default:
		err = cutShort(err)
	}
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.up.close()
	return b.ReadCloser.Close()
}

// cutShort returns err, with which a stream ended before its end: a lost connection is io.ErrUnexpectedEOF too.
func cutShort(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || !connectionLost(err) {
		return err
	}
	return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err)
}
