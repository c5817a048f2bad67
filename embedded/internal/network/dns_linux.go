package network

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer is the name server in a container's namespace. The names of containers are answered from the
// run directory, the rest is forwarded.
type nameServer struct {
	udp *net.UDPConn
	tcp *net.TCPListener
	log *slog.Logger

	dir *directory
	// own returns the container's record and its links.
	own     func() (*record, map[string]string)
	forward *forwarder

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	slots  chan struct{} // bounds the questions in work
}

// maxQuestions is how many questions of one container are in work at once; further ones over UDP are dropped, as a busy server does.
const maxQuestions = 256

// answerTTL is how long answers for containers may be cached, in seconds: as Docker's.
const answerTTL = 600

// listen opens the sockets in the calling thread's namespace, and leads there what its processes ask.
func (s *nameServer) listen() (err error) {
	if s.udp, s.tcp, err = listenDNS(); err != nil {
		return err
	}
	return redirectDNS(portOf(s.udp.LocalAddr()), portOf(s.tcp.Addr()))
}

// close closes the sockets, if they are open.
func (s *nameServer) close() {
	if s.udp != nil {
		s.udp.Close()
		s.tcp.Close()
	}
}

// listenDNS opens the sockets of the server in the calling thread's namespace: UDP and TCP, each on a port of its own.
func listenDNS() (*net.UDPConn, *net.TCPListener, error) {
	at := netip.AddrPortFrom(Server, 0)
	udp, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, nil, fmt.Errorf("listen for name queries: %w", err)
	}
	tcp, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(at))
	if err != nil {
		udp.Close()
		return nil, nil, fmt.Errorf("listen for name queries: %w", err)
	}
	return udp, tcp, nil
}

// start serves until stop.
func (s *nameServer) start() {
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.slots = make(chan struct{}, maxQuestions)
	s.wg.Go(s.serveUDP)
	s.wg.Go(s.serveTCP)
}

// stop closes the sockets, without which the namespace lives on, and waits for the questions in work.
func (s *nameServer) stop() {
	s.cancel()
	s.close()
	s.wg.Wait()
}

func (s *nameServer) serveUDP() {
	buf := make([]byte, 65536)
	for {
		n, client, err := s.udp.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		select {
		case s.slots <- struct{}{}:
		default:
			continue
		}
		q := append([]byte(nil), buf[:n]...)
		s.wg.Go(func() {
			defer func() { <-s.slots }()
			if a := s.answer(q, "udp"); a != nil {
				s.udp.WriteToUDPAddrPort(a, client)
			}
		})
	}
}

// tcpIdle is how long a client may be silent on a connection.
const tcpIdle = 10 * time.Second

func (s *nameServer) serveTCP() {
	for {
		c, err := s.tcp.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.log.Warn("accept a name query", "err", err)
			time.Sleep(50 * time.Millisecond)
			continue
		}
		select {
		case s.slots <- struct{}{}:
		default:
			c.Close()
			continue
		}
		s.wg.Go(func() {
			defer func() { <-s.slots }()
			defer c.Close()
			defer context.AfterFunc(s.ctx, func() { c.Close() })()
			for {
				c.SetDeadline(time.Now().Add(tcpIdle))
				q, err := readTCP(c)
				if err != nil {
					return
				}
				a := s.answer(q, "tcp")
				if a == nil {
					return
				}
				c.SetDeadline(time.Now().Add(tcpIdle))
				if writeTCP(c, a) != nil {
					return
				}
			}
		})
	}
}

// readTCP reads a message with its length before it (RFC 1035 4.2.2).
func readTCP(r io.Reader) ([]byte, error) {
	var n [2]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(n[:]))
	_, err := io.ReadFull(r, b)
	return b, err
}

func writeTCP(w io.Writer, b []byte) error {
	if len(b) > 65535 {
		return errors.New("message too long")
	}
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
	return err
}

// answer returns the answer to a query, nil for what is none.
func (s *nameServer) answer(q []byte, transport string) []byte {
	var p dnsmessage.Parser
	h, err := p.Start(q)
	if err != nil || h.Response {
		return nil
	}
	question, err := p.Question()
	if err != nil {
		return reply(h, nil, dnsmessage.RCodeFormatError, nil)
	}
	if h.OpCode != 0 {
		return reply(h, &question, dnsmessage.RCodeNotImplemented, nil)
	}
	if question.Class == dnsmessage.ClassINET || question.Class == dnsmessage.ClassANY {
		if list, ok := s.local(question); ok {
			return reply(h, &question, dnsmessage.RCodeSuccess, list)
		}
	}
	if s.forward.allowed() {
		if a, err := s.forward.ask(s.ctx, q, transport); err == nil {
			return a
		}
	}
	return reply(h, &question, dnsmessage.RCodeServerFailure, nil)
}

// local answers from the run directory. A name that is known has no other records than these: the answer may be empty.
func (s *nameServer) local(q dnsmessage.Question) (list []dnsmessage.Resource, ok bool) {
	own, links := s.own()
	head := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET, TTL: answerTTL}
	name := q.Name.String()
	if q.Type == dnsmessage.TypePTR {
		a, ok := parsePTR(name)
		if !ok {
			return nil, false
		}
		target, found := s.dir.reverse(own, a)
		if !found {
			return nil, false
		}
		n, err := dnsmessage.NewName(target)
		if err != nil {
			return nil, false
		}
		return []dnsmessage.Resource{{Header: head, Body: &dnsmessage.PTRResource{PTR: n}}}, true
	}
	found, ok := s.dir.lookup(own, links, name)
	if !ok {
		return nil, false
	}
	rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	for _, n := range found {
		if a := addressOf(n.endpoint.IPv4); a.IsValid() && (q.Type == dnsmessage.TypeA || q.Type == dnsmessage.TypeALL) {
			head.Type = dnsmessage.TypeA
			list = append(list, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: a.As4()}})
		}
		if a := addressOf(n.endpoint.IPv6); a.IsValid() && (q.Type == dnsmessage.TypeAAAA || q.Type == dnsmessage.TypeALL) {
			head.Type = dnsmessage.TypeAAAA
			list = append(list, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	return list, true
}

// reply packs an answer. One that is longer than UDP carries is cut by nobody: it has few addresses.
func reply(h dnsmessage.Header, q *dnsmessage.Question, code dnsmessage.RCode, answers []dnsmessage.Resource) []byte {
	m := dnsmessage.Message{Header: dnsmessage.Header{
		ID: h.ID, Response: true, OpCode: h.OpCode, RCode: code, RecursionDesired: h.RecursionDesired, RecursionAvailable: true,
	}, Answers: answers}
	if q != nil {
		m.Questions = []dnsmessage.Question{*q}
	}
	b, err := m.Pack()
	if err != nil {
		return nil
	}
	return b
}

// parsePTR reads 4.3.2.1.in-addr.arpa. and the ip6.arpa form.
func parsePTR(name string) (netip.Addr, bool) {
	name = strings.ToLower(name)
	if rest, ok := strings.CutSuffix(name, ".in-addr.arpa."); ok {
		f := strings.Split(rest, ".")
		if len(f) != 4 {
			return netip.Addr{}, false
		}
		a, err := netip.ParseAddr(f[3] + "." + f[2] + "." + f[1] + "." + f[0])
		return a, err == nil
	}
	rest, ok := strings.CutSuffix(name, ".ip6.arpa.")
	if !ok || len(rest) != 63 {
		return netip.Addr{}, false
	}
	var text strings.Builder
	for i := 62; i >= 0; i -= 2 {
		if i > 0 && rest[i-1] != '.' {
			return netip.Addr{}, false
		}
		text.WriteByte(rest[i])
		if (62-i)/2%4 == 3 && i > 0 {
			text.WriteByte(':')
		}
	}
	a, err := netip.ParseAddr(text.String())
	return a, err == nil
}
