package network

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"

	"github.com/berthdev/berth/engine"
)

// An address belongs to the container whose ID is the target of the link addresses/NETID/ADDR: to make the link is to
// take the address, and there is no moment in which two have it. Addresses of containers whose
// session died are taken over.

// takeAddress takes an address in a subnet of a network; want is a fixed one, or zero for any. The caller has the lock.
func (m *Manager) takeAddress(c *config, s *engine.Subnet, id string, want netip.Addr) (netip.Prefix, error) {
	const op = "connect network"
	dir := m.netDir("addresses", c.ID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return netip.Prefix{}, err
	}
	bits := s.Subnet.Bits()
	if want.IsValid() {
		for try := 0; ; try++ {
			ok, err := claim(dir, want, id)
			if err != nil || ok {
				return netip.PrefixFrom(want, bits), err
			}
			holder, err := os.Readlink(dir + "/" + want.String())
			if err == nil && (m.alive(holder) || try > 1) {
				return netip.Prefix{}, fail(op, c.Name, engine.ErrConflict, "address %s already in use by container %.12s", want, holder)
			}
			if err == nil {
				if err := m.release(holder); err != nil {
					return netip.Prefix{}, err
				}
				os.Remove(dir + "/" + want.String())
			} else if try > 1 {
				return netip.Prefix{}, err
			}
		}
	}
	pool := s.Subnet
	if s.Range.IsValid() {
		pool = s.Range.Masked()
	}
	for try := range 2 {
		if a, err := nextAddress(dir, pool, s, id); err != nil || a.IsValid() {
			return netip.PrefixFrom(a, bits), err
		}
		if try == 0 {
			if err := m.releaseDead(); err != nil {
				return netip.Prefix{}, err
			}
		}
	}
	return netip.Prefix{}, fail(op, c.Name, engine.ErrConflict, "no free address in %s of network %s", pool, c.Name)
}

// nextAddress takes the first free address after the one that was given out last: one that has just
// become free is not used again soon, as others may still know whose it was. It is zero when none is free.
func nextAddress(dir string, pool netip.Prefix, s *engine.Subnet, id string) (netip.Addr, error) {
	hint := dir + "/.last4"
	if pool.Addr().Is6() {
		hint = dir + "/.last6"
	}
	start := pool.Addr()
	if b, err := os.ReadFile(hint); err == nil {
		if a, err := netip.ParseAddr(string(b)); err == nil && pool.Contains(a) {
			start = a
		}
	}
	end := lastAddr(s.Subnet)
	a := start
	for {
		if a = a.Next(); !a.IsValid() || !pool.Contains(a) {
			a = pool.Addr()
		}
		network := a == s.Subnet.Addr() // of IPv6, the routers' anycast address
		broadcast := a.Is4() && a == end
		if !network && !broadcast && a != s.Gateway {
			ok, err := claim(dir, a, id)
			if err != nil {
				return netip.Addr{}, err
			}
			if ok {
				return a, os.WriteFile(hint, []byte(a.String()), 0o600)
			}
		}
		if a == start {
			return netip.Addr{}, nil
		}
	}
}

// claim makes the link; false means that it exists.
func claim(dir string, a netip.Addr, id string) (bool, error) {
	err := os.Symlink(id, dir+"/"+a.String())
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

// freeAddresses gives the addresses of an endpoint back, if they are still id's.
func (m *Manager) freeAddresses(id string, e *endpoint) error {
	var errs []error
	for _, p := range []netip.Prefix{e.IPv4, e.IPv6} {
		if !p.IsValid() {
			continue
		}
		path := m.netDir("addresses", e.NetworkID, p.Addr().String())
		if holder, err := os.Readlink(path); err != nil || holder != id {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
