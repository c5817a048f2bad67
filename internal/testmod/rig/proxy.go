package rig

import (
	"context"
	"crypto/tls"
	"net"
	"path/filepath"
	"sync"
	"testing"
)

// Proxy passes connections on to an engine, with their half-closes, until it is
// told to misbehave. It is safe for concurrent use.
type Proxy struct {
	listener net.Listener
	dial     func() (net.Conn, error)

	mu      sync.Mutex
	changed *sync.Cond // stalled or closed
	stalled bool
	closed  bool
	refuses bool
	budget  int64 // bytes from the engine until the cut; negative is no limit
	pairs   map[*pair]struct{}
	count   int // connections so far
	wg      sync.WaitGroup
}

// pair is a client's connection and ours to the engine.
type pair struct{ client, engine net.Conn }

func (p *pair) close() {
	for _, c := range []net.Conn{p.client, p.engine} {
		if t, ok := c.(*tls.Conn); ok {
			t.NetConn().Close() // without the courtesies, which can block
		}
		c.Close()
	}
}

// NewProxy starts a proxy on a unix socket of its own in front of another one.
func NewProxy(t testing.TB, socket string) *Proxy {
	t.Helper()
	return serveProxy(t, Listen(t, "unix"), socket)
}

// NewTCPProxy starts one on a TCP port of the loopback interface.
func NewTCPProxy(t testing.TB, socket string) *Proxy {
	t.Helper()
	return serveProxy(t, Listen(t, "tcp"), socket)
}

// NewTLSProxy starts one that ends TLS, with half-closes in both directions:
// close_notify of the one side is the end of input for the other.
func NewTLSProxy(t testing.TB, socket string, cfg *tls.Config) *Proxy {
	t.Helper()
	return serveProxy(t, tls.NewListener(Listen(t, "tcp"), cfg), socket)
}

// Listen listens on a loopback port ("tcp") or a socket in a directory of the
// test ("unix"). The caller, or what it is given to, closes it.
func Listen(t testing.TB, network string) net.Listener {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(ShortDir(t), "s")
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func serveProxy(t testing.TB, l net.Listener, socket string) *Proxy {
	p := &Proxy{listener: l, budget: -1, pairs: map[*pair]struct{}{}}
	p.changed = sync.NewCond(&p.mu)
	p.dial = func() (net.Conn, error) { return (&net.Dialer{}).DialContext(context.Background(), "unix", socket) }
	p.wg.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Host is the proxy's address in the form that berth.WithHost takes.
func (p *Proxy) Host() string {
	a := p.listener.Addr()
	if a.Network() == "unix" {
		return "unix://" + a.String()
	}
	return "tcp://" + a.String()
}

// Addr is its address: host:port or a path.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Count is the number of connections that were accepted so far.
func (p *Proxy) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// Open is the number of those that are open.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.pairs)
}

// Cut closes every connection now.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.pairs {
		c.close()
	}
}

// Down cuts every connection and refuses new ones, as an engine that was killed
// does.
func (p *Proxy) Down() {
	p.mu.Lock()
	p.refuses = true
	p.mu.Unlock()
	p.listener.Close()
	p.Cut()
}

// CutAfter cuts every connection once n more bytes have come from the engine,
// on whichever.
func (p *Proxy) CutAfter(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.budget = n
}

// Stall stops, or resumes, passing anything on, in both directions. Connections
// are still accepted.
func (p *Proxy) Stall(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = on
	p.changed.Broadcast()
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.changed.Broadcast()
	p.mu.Unlock()
	p.Down()
	p.wg.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(client) })
	}
}

// serve passes one connection on.
func (p *Proxy) serve(client net.Conn) {
	engine, err := p.dial()
	if err != nil {
		client.Close()
		return
	}
	c := &pair{client, engine}
	p.mu.Lock()
	p.count++
	if p.refuses || p.closed {
		p.mu.Unlock()
		c.close()
		return
	}
	p.pairs[c] = struct{}{}
	p.mu.Unlock()

	var wg sync.WaitGroup
	wg.Go(func() { p.pass(c, engine, client, false) })
	wg.Go(func() { p.pass(c, client, engine, true) })
	wg.Wait()
	c.close()
	p.mu.Lock()
	delete(p.pairs, c)
	p.mu.Unlock()
}

// pass copies what from sends to to, and its end.
func (p *Proxy) pass(c *pair, to, from net.Conn, toClient bool) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		data, cut, ok := p.gate(buf[:n], toClient)
		if !ok {
			return
		}
		if _, werr := to.Write(data); werr != nil {
			c.close()
			return
		}
		if cut {
			p.Cut()
			return
		}
		if err != nil {
			break
		}
	}
	if half, ok := to.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		c.close()
	}
}

// gate waits out a stall and spends the budget of what comes from the engine.
func (p *Proxy) gate(data []byte, toClient bool) (_ []byte, cut, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.stalled && !p.closed {
		p.changed.Wait()
	}
	if p.closed {
		return nil, false, false
	}
	if !toClient || p.budget < 0 {
		return data, false, true
	}
	if int64(len(data)) < p.budget {
		p.budget -= int64(len(data))
		return data, false, true
	}
	data = data[:p.budget]
	p.budget = -1
	return data, true, true
}
