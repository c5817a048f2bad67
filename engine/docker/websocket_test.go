package docker

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/berthdev/berth/engine"
)

// recorder is a connection whose input is fixed.
type recorder struct {
	io.Reader
	written bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) { return r.written.Write(p) }
func (r *recorder) Close() error                { return nil }

func newTestWebsocket(in []byte) *websocket {
	r := &recorder{Reader: bytes.NewReader(in)}
	return &websocket{conn: r, r: bufio.NewReader(r)}
}

func TestWebsocketRead(t *testing.T) {
	for _, tt := range []struct{ name, in, out string }{
		{"two frames", "\x82\x03abc\x82\x02de", "abcde"},
		{"in parts", "\x02\x03abc\x00\x01d\x80\x01e", "abcde"},
		{"text", "\x81\x03abc", "abc"},
		{"an empty one", "\x82\x00\x82\x01a", "a"},
		{"ping between", "\x82\x01a\x89\x04ping\x82\x01b", "ab"},
		{"pong between", "\x8a\x00\x82\x01b", "b"},
		{"close", "\x82\x01a\x88\x02\x03\xe8\x82\x01b", "a"},
	} {
		w := newTestWebsocket([]byte(tt.in))
		if out, err := io.ReadAll(w); err != nil || string(out) != tt.out {
			t.Errorf("%s: %q, %v", tt.name, out, err)
		}
		sent := w.conn.(*recorder).written.Bytes()
		switch tt.name {
		case "ping between":
			if len(sent) != 2+4+4 || sent[0] != finalBit|opPong {
				t.Errorf("%s: sent %x", tt.name, sent)
			}
		case "close":
			if len(sent) != 2+4 || sent[0] != finalBit|opClose {
				t.Errorf("%s: sent %x", tt.name, sent)
			}
			if _, err := w.Write([]byte("x")); err == nil {
				t.Error("written after close")
			}
		}
	}
	for _, in := range []string{"\x82\x03ab", "\x82", "\x89\x02a"} {
		if out, err := io.ReadAll(newTestWebsocket([]byte(in))); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%x: %q, %v", in, out, err)
		}
	}
}

// TestWebsocketHandshake has a server that is no websocket's.
func TestWebsocketHandshake(t *testing.T) {
	f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		if strings.HasSuffix(r.URL.Path, "/json") {
			answer(w, 200, `{"Id":"a","State":{"Status":"created"}}`)
			return
		}
		if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Sec-Websocket-Version") != "13" {
			t.Errorf("header %v", r.Header)
		}
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Sec-Websocket-Accept", "nonsense")
		w.WriteHeader(http.StatusSwitchingProtocols)
	}}
	e := openFake(t, f)
	if s, err := e.ContainerAttach(t.Context(), "a", engine.AttachOptions{Websocket: true}); err == nil {
		t.Errorf("attached: %v", s)
	}
	if got := acceptKey("dGhlIHNhbXBsZSBub25jZQ=="); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" { // RFC 6455, section 1.3
		t.Errorf("accept %s", got)
	}
}
