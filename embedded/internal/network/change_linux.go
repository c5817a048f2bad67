package network

import (
	"context"
	"errors"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

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
	if err := s.m.checkForward(ctx, p.config, len(s.request.Ports) > 0); err != nil {
		return nil, err
	}
	ns, err := s.namespace()
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
	ns, err := s.namespace()
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
