package docker

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// attachWebsocket attaches over Docker's websocket endpoint: output is one raw stream, stderr mixed in, input has no half-close, and the stream does not tell an end from a loss.
func (e *Engine) attachWebsocket(ctx context.Context, o op, path string, query url.Values) (engine.Stream, error) {
	key := make([]byte, 16)
	if _, err := rand.Read(key); err != nil {
		return nil, e.fail(o, err)
	}
	nonce := base64.StdEncoding.EncodeToString(key)
	conn, err := e.wire.Hijack(ctx, wire.Request{
		Method:  http.MethodGet,
		Path:    path,
		Query:   query,
		Upgrade: "websocket",
		Header: http.Header{
			"Sec-Websocket-Key":     {nonce},
			"Sec-Websocket-Version": {"13"},
			"Origin":                {"http://localhost"}, // the daemon's server refuses a request without one
		},
	})
	if err != nil {
		return nil, e.fail(o, err)
	}
	if conn.Status() != http.StatusSwitchingProtocols || conn.Header().Get("Sec-Websocket-Accept") != acceptKey(nonce) {
		conn.Close()
		return nil, e.fail(o, fmt.Errorf("the answer (%d) is none of a websocket's", conn.Status()))
	}
	return &websocket{conn: conn, r: bufio.NewReader(conn)}, nil
}

// acceptKey is what a server proves with that it has understood (RFC 6455, section 4.2.2).
func acceptKey(nonce string) string {
	sum := sha1.Sum([]byte(nonce + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// websocket is the client's end of one, as an [engine.Stream].
type websocket struct {
	conn interface {
		io.ReadWriteCloser
	}

	read   sync.Mutex // one Read at a time
	r      *bufio.Reader
	left   uint64 // of the current frame's payload
	ended  error  // sticky
	write  sync.Mutex
	closed bool // a close frame was sent
}

var errWebsocketHalfClose = &engine.UnsupportedError{Option: "AttachOptions.Websocket", Engine: Name, Reason: "a websocket has no half-close: the input cannot be ended alone"}

// Multiplexed implements [engine.Stream].
func (w *websocket) Multiplexed() bool { return false }

// CloseWrite implements [engine.Stream]: it is an UnsupportedError.
func (w *websocket) CloseWrite() error { return errWebsocketHalfClose }

// Close implements [io.Closer]. It sends a close frame, if that does not block behind a Write.
func (w *websocket) Close() error {
	if w.write.TryLock() {
		w.sendClose()
		w.write.Unlock()
	}
	return w.conn.Close()
}

// Read implements [io.Reader].
func (w *websocket) Read(p []byte) (int, error) {
	w.read.Lock()
	defer w.read.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	for w.left == 0 {
		if w.ended == nil {
			w.ended = w.next()
		}
		if w.ended != nil {
			return 0, w.ended
		}
	}
	n, err := w.r.Read(p[:min(uint64(len(p)), w.left)])
	w.left -= uint64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // within a frame
	}
	if err != nil {
		w.ended = err
	}
	return n, err
}

// next reads frames up to the head of one with data.
func (w *websocket) next() error {
	for {
		h, err := readFrameHead(w.r)
		if err != nil {
			return err
		}
		switch h.opcode {
		case opContinuation, opText, opBinary:
			if h.size > 0 {
				w.left = h.size
				return nil
			}
			continue
		}
		payload := make([]byte, h.size) // at most 125 bytes
		if _, err := io.ReadFull(w.r, payload); err != nil {
			return unexpected(err)
		}
		switch h.opcode {
		case opPing:
			if err := w.send(opPong, payload); err != nil {
				return err
			}
		case opClose:
			w.write.Lock()
			w.sendClose()
			w.write.Unlock()
			return io.EOF
		}
	}
}

// Write implements [io.Writer]: one binary frame.
func (w *websocket) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := w.send(opBinary, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (w *websocket) send(opcode byte, payload []byte) error {
	w.write.Lock()
	defer w.write.Unlock()
	if w.closed {
		return errors.New("write to a closed websocket")
	}
	_, err := w.conn.Write(appendFrame(nil, opcode, payload))
	return err
}

// sendClose says good-bye, once; write is held. That it fails is of no interest to anybody.
func (w *websocket) sendClose() {
	if !w.closed {
		w.closed = true
		_, _ = w.conn.Write(appendFrame(nil, opClose, nil))
	}
}
