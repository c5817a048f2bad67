package network

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// proxy forwards what comes to a published port's socket: connections of the host itself, of its
// containers, and of other machines where no nftables element catches them first.
type proxy struct {
	socket *socket
	target atomic.Pointer[netip.AddrPort]
	log    *slog.Logger
	dial   func(network, to string) (net.Conn, error) // to the container
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	open   map[io.Closer]struct{}
}

// startProxy serves s until stop.
func startProxy(s *socket, to netip.AddrPort, log *slog.Logger) *proxy {
	return startProxyWith(s, to, log, (&net.Dialer{Timeout: dialTimeout}).Dial)
}

// startProxyWith reaches the container by dial.
func startProxyWith(s *socket, to netip.AddrPort, log *slog.Logger, dial func(network, to string) (net.Conn, error)) *proxy {
	p := &proxy{socket: s, log: log, dial: dial, open: map[io.Closer]struct{}{}}
	p.target.Store(&to)
	if s.tcp != nil {
		p.wg.Go(p.serveTCP)
	} else {
		p.wg.Go(p.serveUDP)
	}
	return p
}

// stop closes the socket and all connections, and waits for their goroutines.
func (p *proxy) stop() {
	p.mu.Lock()
	p.closed = true
	for c := range p.open {
		c.Close()
	}
	p.mu.Unlock()
	p.socket.Close()
	p.wg.Wait()
}

// track notes that c is to be closed by stop; false: it has stopped already.
func (p *proxy) track(c io.Closer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.open[c] = struct{}{}
	}
	return !p.closed
}

func (p *proxy) done(c io.Closer) {
	p.mu.Lock()
	delete(p.open, c)
	p.mu.Unlock()
	c.Close()
}

func (p *proxy) serveTCP() {
	for {
		c, err := p.socket.tcp.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Descriptors or memory are short: those who have connections finish.
			p.log.Warn("accept a connection to a published port", "port", p.socket.port.HostPort, "err", err)
			time.Sleep(50 * time.Millisecond)
			continue
		}
		p.wg.Go(func() { p.forwardTCP(c) })
	}
}

// dialTimeout bounds how long a client waits for a container that does not answer.
const dialTimeout = 30 * time.Second

func (p *proxy) forwardTCP(client *net.TCPConn) {
	if !p.track(client) {
		client.Close()
		return
	}
	defer p.done(client)
	to := p.target.Load()
	server, err := p.dial("tcp", to.String())
	if err != nil {
		client.SetLinger(0) // the client sees a reset, not a clean end
		return
	}
	if !p.track(server) {
		server.Close()
		return
	}
	defer p.done(server)
	var wg sync.WaitGroup
	pipe := func(dst, src *net.TCPConn) {
		if _, err := io.Copy(dst, src); err != nil {
			// One side is broken: the other must not wait for it.
			dst.Close()
			src.Close()
			return
		}
		dst.CloseWrite()
	}
	wg.Go(func() { pipe(server.(*net.TCPConn), client) })
	pipe(client, server.(*net.TCPConn))
	wg.Wait()
}
