package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

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

// Yield is the first part of Close, which does not wait for the kernel: names, ports and addresses are others' from
// now on. The interfaces are down, so that nothing answers for the addresses any more, and are all that Close has left to do. Without interfaces Yield
// does nothing.
func (s *Session) Yield(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.record.Load()
	if s.owner == nil || len(r.Endpoints) == 0 || s.m.opts.Rootless {
		return nil
	}
	r, err := s.stopServing()
	if err != nil {
		return err
	}
	for _, e := range r.Endpoints {
		link, err := netlink.LinkByName(e.Host)
		if err == nil {
			err = netlink.LinkSetDown(link)
		}
		if err != nil && !errors.As(err, new(netlink.LinkNotFoundError)) && !errors.Is(err, unix.ENODEV) {
			return fmt.Errorf("set %s down: %w", e.Host, err)
		}
	}
	unlock, err := s.m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	rest := *r
	rest.Endpoints = nil
	var errs []error
	for i := range r.Endpoints {
		e := &r.Endpoints[i]
		errs = append(errs, s.m.freeEndpoint(r.ID, e))
		rest.Endpoints = append(rest.Endpoints, endpoint{Host: e.Host})
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := writeJSON(s.m.recordPath(r.ID), &rest); err != nil { // without writeRecord's links
		return err
	}
	s.record.Store(&rest)
	return nil
}

func (s *Session) end(ctx context.Context, wait time.Duration) error {
	if s.owner == nil {
		return nil
	}
	var errs []error
	r, err := s.stopServing()
	errs = append(errs, err)
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

// stopServing ends what this process does for the network. It returns the record as it is then.
func (s *Session) stopServing() (*record, error) {
	if s.server != nil {
		s.server.stop()
		s.server = nil
	}
	if s.m.opts.Rootless {
		s.endRootless()
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
			s.record.Store(r)
			errs = append(errs, s.m.writeRecord(r))
		}
	}
	for _, p := range s.proxies {
		p.stop()
	}
	s.proxies = nil
	return r, errors.Join(errs...)
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
