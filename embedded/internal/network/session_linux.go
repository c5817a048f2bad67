package network

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// Session is a container's connection to its networks: its name server, and the
// forwarding of its published ports. It lives in the container's monitor and is safe for concurrent use.
type Session struct {
	m       *Manager
	request Request

	pid atomic.Int64 // the container's first process

	mu      sync.Mutex
	owner   *os.File // the lock that says that we live; nil when closed
	proxies []*proxy
	server  *nameServer
	hosts   []HostsLink // lines of legacy links
	helper  *helper     // of an ordinary user; nil is none
	netns   *os.File    // the container's, for proxies; nil where they need it not

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
	s.Begun(r.PID)
	s.record.Store(&record{ID: r.ContainerID, Name: r.Name, Hostname: r.Hostname})
	s.links.Store(&map[string]string{})
	if err := s.connect(ctx, plans); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		return nil, nil, errors.Join(err, s.end(context.WithoutCancel(ctx), 0))
	}
	return s.Result(), s, nil
}

// Begun says which process is in the namespace that Connect was given.
func (s *Session) Begun(pid int) { s.pid.Store(int64(pid)) }

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
	ns := s.request.Namespace
	if ns == nil {
		var err error
		if ns, err = s.namespace(); err != nil {
			return err
		}
		defer ns.Close()
	}
	// The host's firewall is read beside the rest: it takes as long as a tenth of it.
	passes := make(chan error, 1)
	go func() {
		for _, p := range plans {
			if err := s.m.checkForward(ctx, p.config, len(s.request.Ports) > 0); err != nil {
				passes <- err
				return
			}
		}
		passes <- nil
	}()
	err := s.attach(ctx, ns, plans, true)
	if forward := <-passes; forward != nil {
		return forward
	}
	if err != nil {
		return err
	}
	if s.m.opts.Rootless && len(s.request.Endpoints) > 0 {
		return s.connectRootless(ctx, ns)
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
		return server.listen()
	})
	if err != nil {
		server.close()
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

// namespace opens the container's network namespace.
func (s *Session) namespace() (*os.File, error) { return openNamespace(int(s.pid.Load())) }

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
			ns, err := s.namespace()
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
