package network

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// forwarder asks the servers of resolv.conf, or those given to the container.
type forwarder struct {
	given []netip.Addr // nil: the host's
	// namespace is where a given server at a loopback address is: the container.
	namespace func(func() error) error
	// allowed says whether anybody may be asked.
	allowed func() bool

	mu      sync.Mutex
	modTime time.Time
	host    []netip.Addr
}

// upstreamTimeout is how long one server is waited for before the next one is asked.
const upstreamTimeout = 2 * time.Second

// servers are those to ask: the host's file is read again when it has changed.
func (f *forwarder) servers() []netip.Addr {
	if f.given != nil {
		return f.given
	}
	fi, err := os.Stat(hostResolv)
	if err != nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.host == nil || !fi.ModTime().Equal(f.modTime) {
		f.host, f.modTime = parseResolv(readHostResolv()).servers, fi.ModTime()
	}
	return f.host
}

// ask returns the first answer, from the servers in their order. SERVFAIL and REFUSED let the next one be asked.
func (f *forwarder) ask(ctx context.Context, q []byte, transport string) ([]byte, error) {
	err := errors.New("no name server to ask")
	var last []byte
	for _, server := range f.servers() {
		var a []byte
		if a, err = f.askOne(ctx, server, q, transport); err != nil {
			continue
		}
		last = a
		if code := dnsmessage.RCode(a[3] & 15); code != dnsmessage.RCodeServerFailure && code != dnsmessage.RCodeRefused {
			return a, nil
		}
	}
	if last != nil {
		return last, nil
	}
	return nil, err
}

func (f *forwarder) askOne(ctx context.Context, server netip.Addr, q []byte, transport string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, upstreamTimeout)
	defer cancel()
	var c net.Conn
	dial := func() (err error) {
		c, err = (&net.Dialer{}).DialContext(ctx, transport, netip.AddrPortFrom(server, 53).String())
		return err
	}
	var err error
	if f.given != nil && server.IsLoopback() {
		err = f.namespace(dial)
	} else {
		err = dial()
	}
	if err != nil {
		return nil, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	if transport == "tcp" {
		if err := writeTCP(c, q); err != nil {
			return nil, err
		}
		a, err := readTCP(c)
		if err == nil && !answersTo(a, q) {
			err = errors.New("the server answers another question")
		}
		return a, err
	}
	if _, err := c.Write(q); err != nil {
		return nil, err
	}
	buf := make([]byte, 65536)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return nil, err
		}
		if answersTo(buf[:n], q) {
			return buf[:n], nil
		}
	}
}

// answersTo says whether a is an answer to q: the ID, the question, the bit.
func answersTo(a, q []byte) bool {
	var pa, pq dnsmessage.Parser
	ha, err := pa.Start(a)
	if err != nil || !ha.Response {
		return false
	}
	hq, err := pq.Start(q)
	if err != nil || ha.ID != hq.ID {
		return false
	}
	qq, err := pq.Question()
	if err != nil {
		return false
	}
	qa, err := pa.Question()
	if err != nil {
		// Some servers leave it out of an error.
		return ha.RCode != dnsmessage.RCodeSuccess
	}
	return qa.Type == qq.Type && qa.Class == qq.Class && strings.EqualFold(qa.Name.String(), qq.Name.String())
}
