package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// Session is a container's connection to its networks: its name server, and the
// forwarding of its published ports. It lives in the container's monitor and is safe for concurrent use.
type Session struct {
	m       *Manager
	request Request

	mu      sync.Mutex
	owner   *os.File // the lock that says that we live; nil when closed
	proxies []*proxy
	server  *nameServer
	hosts   []HostsLink // lines of legacy links

	// The record and the names of links, replaced as a whole: the name server reads them.
	record atomic.Pointer[record]
	links  atomic.Pointer[map[string]string]
}

// Connect joins a container to its networks and publishes its ports. When it fails nothing is left.
// Without endpoints the container has loopback alone.
//
// The Session must be closed when the container has ended.
func (m *Manager) Connect(ctx context.Context, r Request) (*Result, *Session, error) {
	plans, err := m.plan(ctx, r.Endpoints, r.Ports)
	if err != nil {
		return nil, nil, err
	}
	owner, err := m.claimOwner(ctx, r.ContainerID)
	if err != nil {
		return nil, nil, err
	}
	s := &Session{m: m, request: r, owner: owner}
	s.record.Store(&record{ID: r.ContainerID, Name: r.Name, Hostname: r.Hostname})
	s.links.Store(&map[string]string{})
	if err := s.connect(ctx, plans); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		return nil, nil, errors.Join(err, s.end(context.WithoutCancel(ctx), 0))
	}
	return s.Result(), s, nil
}

// claimOwner takes the lock of a container's session, and cleans up after a dead one.
func (m *Manager) claimOwner(ctx context.Context, id string) (*os.File, error) {
	for {
		owner, ok, err := m.own(id)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fail("connect network", id, engine.ErrConflict, "the container is connected already")
		}
		if _, err := os.Lstat(m.recordPath(id)); err != nil {
			return owner, nil
		}
		owner.Close()
		if err := m.Release(ctx, id); err != nil {
			return nil, err
		}
	}
}

func (s *Session) connect(ctx context.Context, plans []planned) error {
	ns, err := openNamespace(s.request.PID)
	if err != nil {
		return err
	}
	defer ns.Close()
	// The host's firewall is read beside the rest: it takes as long as a tenth of it.
	passes := make(chan error, 1)
	go func() {
		for _, p := range plans {
			if err := s.m.checkForward(p.config, len(s.request.Ports) > 0); err != nil {
				passes <- err
				return
			}
		}
		passes <- nil
	}()
	err = s.attach(ctx, ns, plans, true)
	if forward := <-passes; forward != nil {
		return forward
	}
	if err != nil {
		return err
	}
	if err := s.resolveLinks(s.request.Links, nil); err != nil {
		return err
	}
	for i := range plans {
		if err := s.resolveLinks(plans[i].asked.Links, plans[i].config); err != nil {
			return err
		}
	}
	return s.publish(ctx)
}

// attach joins the networks of plans: addresses and the record first, under the lock, then the interfaces.
func (s *Session) attach(ctx context.Context, ns *os.File, plans []planned, first bool) error {
	old := s.record.Load()
	r := *old
	r.Endpoints = slices.Clone(old.Endpoints)
	bridges, err := s.reserve(ctx, &r, plans)
	// What was reserved is in the record also after an error: the cleanup finds it.
	s.record.Store(&r)
	if err != nil {
		return err
	}
	added := r.Endpoints[len(old.Endpoints):]
	for i := range added {
		if err := addVeth(&added[i], bridges[i], ns); err != nil {
			return err
		}
	}
	serve := s.server == nil && s.needsServer(&r)
	server := &nameServer{log: s.m.log()}
	err = inNamespace(ns, func() error {
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return fmt.Errorf("open netlink in the container's namespace: %w", err)
		}
		defer h.Close()
		if first {
			if err := loopbackUp(h); err != nil {
				return err
			}
		}
		for i := range added {
			if err := configure(h, &added[i]); err != nil {
				return err
			}
		}
		if err := defaultRoutes(h, &r, first); err != nil {
			return err
		}
		if !serve {
			return nil
		}
		if server.udp, server.tcp, err = listenDNS(); err != nil {
			return err
		}
		return redirectDNS(portOf(server.udp.LocalAddr()), portOf(server.tcp.Addr()))
	})
	if err != nil {
		if server.udp != nil {
			server.udp.Close()
			server.tcp.Close()
		}
		return err
	}
	if serve {
		s.serve(server)
	}
	return nil
}

// reserve makes bridges and takes addresses. It returns the bridges' indexes.
func (s *Session) reserve(ctx context.Context, r *record, plans []planned) ([]int, error) {
	if len(plans) == 0 {
		return nil, nil
	}
	unlock, err := s.m.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	t, err := openTable(s.m.run)
	if err != nil {
		return nil, err
	}
	defer t.close()
	var bridges []int
	for _, p := range plans {
		// It may have been removed since the plan was made.
		if _, err := os.Lstat(s.m.configPath(p.config.Name)); err != nil {
			return nil, fail("connect network", p.config.Name, engine.ErrNotFound, "network %s not found", p.config.Name)
		}
		link, err := s.m.ensure(p.config, t)
		if err != nil {
			return nil, err
		}
		e, err := s.m.endpointFor(p, r, link.Attrs().MTU)
		if err != nil {
			return nil, err
		}
		r.Endpoints = append(r.Endpoints, e)
		bridges = append(bridges, link.Attrs().Index)
	}
	return bridges, s.m.writeRecord(r)
}

// needsServer says whether the container's name server is 127.0.0.11.
func (s *Session) needsServer(r *record) bool {
	if slices.ContainsFunc(r.Endpoints, func(e endpoint) bool { return e.DNS }) {
		return true
	}
	return len(r.Endpoints) > 0 && NeedsServer(readHostResolv(), s.request.DNS)
}

// serve starts the name server on the sockets in n.
func (s *Session) serve(n *nameServer) {
	n.dir = &directory{m: s.m}
	n.own = func() (*record, map[string]string) { return s.record.Load(), *s.links.Load() }
	n.forward = &forwarder{
		given: s.request.DNS,
		// Queries leave by the host's namespace, which internal networks must not reach.
		allowed: func() bool { return s.record.Load().primary() != nil },
		namespace: func(f func() error) error {
			ns, err := openNamespace(s.request.PID)
			if err != nil {
				return err
			}
			defer ns.Close()
			return inNamespace(ns, f)
		},
	}
	n.start()
	s.server = n
}

// publish opens the ports of the request.
func (s *Session) publish(ctx context.Context) error {
	r := *s.record.Load()
	e := r.primary()
	if len(s.request.Ports) == 0 || e == nil || len(s.proxies) > 0 {
		return nil
	}
	c, err := s.m.find(ctx, "connect network", e.NetworkID)
	if err != nil {
		return err
	}
	sockets, err := reserve(s.request.Ports, c.HostIP)
	if err != nil {
		return err
	}
	r.Ports = nil
	for _, k := range sockets {
		direct(&k.port, e)
		r.Ports = append(r.Ports, k.port)
	}
	for _, k := range sockets {
		s.proxies = append(s.proxies, startProxy(k, target(&k.port, e), s.m.log()))
	}
	s.record.Store(&r)
	if err := s.m.writeRecord(&r); err != nil {
		return err
	}
	return s.m.addPorts(ctx, r.Ports)
}

// addPorts adds the elements of ports. Those of the dead give way: their sockets are gone, so the port is ours.
func (m *Manager) addPorts(ctx context.Context, ports []port) error {
	if !slices.ContainsFunc(ports, func(p port) bool { return p.To.IsValid() }) {
		return nil
	}
	t, err := openTable(m.run)
	if err != nil {
		return err
	}
	defer t.close()
	if err = t.addPorts(ports); !errors.Is(err, unix.EEXIST) {
		return err
	}
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := m.releaseDead(); err != nil {
		return err
	}
	if err := t.addPorts(ports); errors.Is(err, unix.EEXIST) {
		return fail("publish port", "", engine.ErrConflict, "a port is already allocated in nftables table %s", t.table.Name)
	} else if err != nil {
		return err
	}
	return nil
}

// Join connects the running container to another network, and returns its networks after that.
func (s *Session) Join(ctx context.Context, ep engine.Endpoint) (*Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owner == nil {
		return nil, fail("connect network", ep.Network, engine.ErrNotRunning, "the container is not running")
	}
	p, err := s.m.planOne(ctx, ep, "Endpoint")
	if err != nil {
		return nil, err
	}
	old := s.record.Load()
	if old.endpointOf(p.config.ID) != nil {
		return nil, fail("connect network", p.config.Name, engine.ErrConflict, "the container is in network %s already", p.config.Name)
	}
	if err := s.m.checkForward(p.config, len(s.request.Ports) > 0); err != nil {
		return nil, err
	}
	ns, err := openNamespace(s.request.PID)
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	err = s.attach(ctx, ns, []planned{p}, false)
	if err == nil {
		err = s.resolveLinks(ep.Links, p.config)
	}
	if err == nil {
		if err = s.publish(ctx); err == nil {
			err = s.redirectPorts(ctx)
		}
	}
	if err != nil {
		_, back := s.leave(context.WithoutCancel(ctx), p.config.ID, p.config.Name)
		return nil, errors.Join(err, back)
	}
	return s.result(), nil
}

// Leave disconnects it from a network (by name or ID), and returns its networks after that. One that it is not in is ErrNotFound.
func (s *Session) Leave(ctx context.Context, network string) (*Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owner == nil {
		return nil, fail("disconnect network", network, engine.ErrNotRunning, "the container is not running")
	}
	id := network
	for _, e := range s.record.Load().Endpoints {
		if e.Network == network || e.NetworkID == network {
			id = e.NetworkID
		}
	}
	if s.record.Load().endpointOf(id) == nil {
		c, err := s.m.find(ctx, "disconnect network", network)
		if err != nil {
			return nil, err
		}
		id = c.ID
	}
	if found, err := s.leave(ctx, id, network); err != nil {
		return nil, err
	} else if !found {
		return nil, fail("disconnect network", network, engine.ErrNotFound, "the container is not connected to network %s", network)
	}
	return s.result(), nil
}

// leave undoes an endpoint: interface, address, record, then routes and ports move to the next network.
func (s *Session) leave(ctx context.Context, id, name string) (found bool, err error) {
	r := *s.record.Load()
	i := slices.IndexFunc(r.Endpoints, func(e endpoint) bool { return e.NetworkID == id })
	if i < 0 {
		return false, nil
	}
	gone := r.Endpoints[i]
	r.Endpoints = slices.Delete(slices.Clone(r.Endpoints), i, i+1)
	if err := s.m.dropEndpoints(r.ID, []endpoint{gone}); err != nil {
		return true, err
	}
	s.record.Store(&r)
	if err := s.m.writeRecord(&r); err != nil {
		return true, err
	}
	ns, err := openNamespace(s.request.PID)
	if err != nil {
		return true, err
	}
	defer ns.Close()
	err = inNamespace(ns, func() error {
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer h.Close()
		return defaultRoutes(h, &r, false)
	})
	if err != nil {
		return true, err
	}
	return true, s.redirectPorts(ctx)
}

// redirectPorts points the published ports at the primary endpoint of now.
func (s *Session) redirectPorts(ctx context.Context) error {
	r := *s.record.Load()
	e := r.primary()
	var gone, added []port
	r.Ports = slices.Clone(r.Ports)
	for i := range r.Ports {
		p := &r.Ports[i]
		old := *p
		direct(p, e)
		if p.To != old.To {
			gone, added = append(gone, old), append(added, *p)
		}
	}
	for _, x := range s.proxies {
		to := target(&x.socket.port, e)
		x.target.Store(&to)
	}
	if len(gone) == 0 {
		return nil
	}
	if err := s.m.dropPorts(gone); err != nil {
		return err
	}
	s.record.Store(&r)
	if err := s.m.writeRecord(&r); err != nil {
		return err
	}
	return s.m.addPorts(ctx, added)
}

// Rename changes the container's name for name servers.
func (s *Session) Rename(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owner == nil {
		return nil
	}
	r := *s.record.Load()
	r.Name = name
	s.record.Store(&r)
	if len(r.Endpoints) == 0 {
		return nil
	}
	return s.m.writeRecord(&r)
}

// netnsWait is how long Close waits for the kernel to remove the interfaces of a namespace that has ended: to remove them
// ourselves would keep everybody else's waiting.
const netnsWait = time.Second

// Close ends the session: its sockets are closed at once, and addresses, bridge ports and
// rules are given back. Call it when the container's processes have ended and the exit has been reported: it waits for the kernel.
// A second call does nothing.
func (s *Session) Close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(ctx, netnsWait)
}

func (s *Session) end(ctx context.Context, wait time.Duration) error {
	if s.owner == nil {
		return nil
	}
	if s.server != nil {
		s.server.stop()
		s.server = nil
	}
	// Elements before sockets: who gets a port after us finds no element.
	r := s.record.Load()
	var errs []error
	if len(r.Ports) > 0 {
		if err := s.m.dropPorts(r.Ports); err != nil {
			errs = append(errs, err)
		} else {
			rest := *r
			rest.Ports = nil
			r = &rest
			errs = append(errs, s.m.writeRecord(r))
		}
	}
	for _, p := range s.proxies {
		p.stop()
	}
	s.proxies = nil
	if wait > 0 && len(r.Endpoints) > 0 {
		waitGone(ctx, r.Endpoints, wait)
	}
	// From here on it is as if we had died: whoever comes first cleans up.
	unlock, err := s.m.lock(ctx)
	if err != nil {
		s.owner.Close()
		s.owner = nil
		return errors.Join(append(errs, err)...)
	}
	defer unlock()
	if _, err := os.Lstat(s.m.recordPath(r.ID)); errors.Is(err, fs.ErrNotExist) {
		// It was never written down: Connect failed before.
		errs = append(errs, s.m.dropEndpoints(r.ID, r.Endpoints))
	}
	s.owner.Close()
	s.owner = nil
	return errors.Join(append(errs, s.m.release(r.ID))...)
}

// waitGone waits until the kernel has removed the interfaces, as it does when their namespace ends.
func waitGone(ctx context.Context, list []endpoint, limit time.Duration) {
	left := map[string]bool{}
	updates, done := make(chan netlink.LinkUpdate), make(chan struct{})
	if netlink.LinkSubscribe(updates, done) != nil {
		return
	}
	defer func() {
		close(done)
		for range updates {
		}
	}()
	for _, e := range list {
		if _, err := netlink.LinkByName(e.Host); err == nil {
			left[e.Host] = true
		}
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for len(left) > 0 {
		select {
		case u, ok := <-updates:
			if !ok {
				return
			}
			if u.Header.Type == unix.RTM_DELLINK {
				delete(left, u.Attrs().Name)
			}
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
