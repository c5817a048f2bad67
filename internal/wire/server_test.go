package wire

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthdev/berth/internal/leaktest"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "dial-stdio" {
		os.Exit(dialStdio(os.Args[2])) // what the ssh tests run on the other side
	}
	leaktest.Main(m)
}

// peer is one connection as the scripted server sees it.
type peer struct {
	net.Conn
	number int // of the connection, from 0
	br     *bufio.Reader
	t      testing.TB
}

// request reads one request with its body; nil at the end of the connection.
func (p *peer) request() *http.Request {
	req, err := http.ReadRequest(p.br)
	if err != nil {
		return nil
	}
	body, _ := io.ReadAll(req.Body)
	req.Body = io.NopCloser(&readOnly{body})
	return req
}

type readOnly struct{ b []byte }

func (r *readOnly) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b)
	r.b = r.b[n:]
	return n, nil
}

// send writes s in one call.
func (p *peer) send(s string) { _, _ = io.WriteString(p.Conn, s) } // a client may be gone already

// server is a scripted engine on a unix socket.
type server struct {
	path  string
	conns atomic.Int32 // accepted so far
}

// serve starts a server that runs script for each connection and closes the connection when it returns. It ends with the test, which then fails if anything is left behind.
func serve(t testing.TB, script func(*peer)) *server {
	t.Helper()
	leaktest.Check(t)
	dir, err := os.MkdirTemp("", "wire") // t.TempDir's can be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &server{path: filepath.Join(dir, "sock")}
	l, err := net.Listen("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	s.accept(t, l, script)
	return s
}

func (s *server) accept(t testing.TB, l net.Listener, script func(*peer)) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	open := make(map[net.Conn]bool)
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[conn] = true
			mu.Unlock()
			n := int(s.conns.Add(1)) - 1
			wg.Go(func() {
				script(&peer{conn, n, bufio.NewReader(conn), t})
				conn.Close()
				mu.Lock()
				delete(open, conn)
				mu.Unlock()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for conn := range open {
			conn.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
}

// answer is a script that gives every request the same answer.
func answer(s string) func(*peer) {
	return func(p *peer) {
		for p.request() != nil {
			p.send(s)
		}
	}
}

// answerAndClose is a script that answers one request per connection.
func answerAndClose(s string) func(*peer) {
	return func(p *peer) {
		p.request()
		p.send(s)
	}
}

// client returns a Client of s that is closed with the test.
func (s *server) client(t testing.TB, changes ...func(*Config)) *Client {
	cfg := Config{Dial: DialUnix(s.path)}
	for _, change := range changes {
		change(&cfg)
	}
	c := New(cfg)
	t.Cleanup(func() { c.Close() })
	return c
}

// transports are the networks over which a test may run: a script, and a dialer of the server that runs it.
var transports = map[string]func(testing.TB, func(*peer)) DialFunc{
	"unix": func(t testing.TB, script func(*peer)) DialFunc { return DialUnix(serve(t, script).path) },
	"tcp": func(t testing.TB, script func(*peer)) DialFunc {
		leaktest.Check(t)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		new(server).accept(t, l, script)
		return DialTCP(l.Addr().String())
	},
	"tls": func(t testing.TB, script func(*peer)) DialFunc {
		leaktest.Check(t)
		cert, pool := certificate(t)
		l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
		if err != nil {
			t.Fatal(err)
		}
		new(server).accept(t, l, script)
		return DialTLS(l.Addr().String(), &tls.Config{RootCAs: pool})
	},
}

// certificate returns one for 127.0.0.1 and the pool that trusts it.
func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// get is a GET of path.
func get(path string) Request { return Request{Method: "GET", Path: path} }

// cancelWhen returns a context that ends with cause once ready is closed.
func cancelWhen(t testing.TB, ready <-chan struct{}, cause error) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		select {
		case <-ready:
		case <-t.Context().Done():
		}
		cancel(cause)
	}()
	return ctx
}

// dialStdio copies between stdin, stdout and the socket at path, as "docker system dial-stdio" does.
func dialStdio(path string) int {
	conn, err := DialUnix(path)(context.Background())
	if err != nil {
		os.Stderr.WriteString(err.Error())
		return 1
	}
	go func() {
		_, _ = io.Copy(conn, os.Stdin)
		_ = conn.(*net.UnixConn).CloseWrite()
	}()
	if _, err := io.Copy(os.Stdout, conn); err != nil {
		return 1
	}
	return 0
}

// onceDialer returns a dialer of conn.
func onceDialer(conn net.Conn) DialFunc {
	return func(context.Context) (net.Conn, error) { return conn, nil }
}
