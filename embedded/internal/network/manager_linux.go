package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// Manager knows the networks of one state directory. It is safe for concurrent
// use, also by several processes; it holds no descriptor and no goroutine.
type Manager struct {
	root, run string
	opts      Options
}

// Open makes the directories root/networks and run/net if they do not exist.
// run is the run directory of this boot.
func Open(root, run string, opts Options) (*Manager, error) {
	m := &Manager{root: root, run: run, opts: opts}
	if err := m.ensureDirs(); err != nil {
		return nil, fmt.Errorf("open networks: %w", err)
	}
	return m, nil
}

func (m *Manager) log() *slog.Logger {
	if m.opts.Log != nil {
		return m.opts.Log
	}
	return slog.New(slog.DiscardHandler)
}

// Release cleans up what a container has left: it may be called at any time after the container has ended, any number of times, by any process.
// While the container's session lives it is engine.ErrConflict: the session's monitor does it.
func (m *Manager) Release(ctx context.Context, containerID string) error {
	if _, err := os.Lstat(m.ownerPath(containerID)); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(m.recordPath(containerID)); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return m.release(containerID)
}

// release is Release for who has the lock.
func (m *Manager) release(id string) error {
	own, ok, err := m.own(id)
	if err != nil {
		return err
	}
	if !ok {
		return fail("release networks", id, engine.ErrConflict, "the container's monitor is alive")
	}
	defer own.Close()
	r, err := m.readRecord(id)
	if err != nil {
		// It is replaced in one step, so it was never complete: nothing was made.
		r = nil
		if err := os.Remove(m.recordPath(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if r != nil {
		if err := m.dropPorts(r.Ports); err != nil {
			return err
		}
		if err := m.dropEndpoints(id, r.Endpoints); err != nil {
			return err
		}
		if err := os.Remove(m.recordPath(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Remove(m.recordPath(id) + tempExt); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Remove(m.ownerPath(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// releaseDead releases every container whose session is dead. The caller has the lock.
func (m *Manager) releaseDead() error {
	list, err := names(m.netDir("containers"))
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range list {
		id, ok := cutExt(name, ".lock")
		if !ok {
			if id, ok = cutExt(name, ".json"); !ok {
				continue
			}
		}
		if !m.alive(id) {
			errs = append(errs, m.release(id))
		}
	}
	return errors.Join(append(errs, m.dropOrphans())...)
}

// dropOrphans frees addresses of containers that died before they had a record.
func (m *Manager) dropOrphans() error {
	nets, err := names(m.netDir("addresses"))
	if err != nil {
		return err
	}
	for _, n := range nets {
		list, err := names(m.netDir("addresses", n))
		if err != nil {
			return err
		}
		for _, a := range list {
			path := m.netDir("addresses", n, a)
			if id, err := os.Readlink(path); err == nil && !m.alive(id) {
				if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
			}
		}
	}
	return nil
}

// dropPorts removes the nftables elements of ports, and what the kernel remembers of their flows.
func (m *Manager) dropPorts(ports []port) error {
	if !slices.ContainsFunc(ports, func(p port) bool { return p.To.IsValid() }) {
		return nil
	}
	t, err := openTable(m.run)
	if err != nil {
		return err
	}
	defer t.close()
	if err := t.removePorts(ports); err != nil {
		return err
	}
	return forgetFlows(ports)
}

// forgetFlows makes the kernel forget UDP flows to ports: packets of a client that goes on sending would
// be sent to whoever has the address next.
func forgetFlows(ports []port) error {
	for _, family := range []netlink.InetFamily{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		var filter udpFlows
		for _, p := range ports {
			if p.Protocol == "udp" && p.To.IsValid() && p.To.Is6() == (family == netlink.FAMILY_V6) {
				filter = append(filter, p)
			}
		}
		if filter == nil {
			continue
		}
		if _, err := netlink.ConntrackDeleteFilters(netlink.ConntrackTable, family, filter); err != nil {
			return fmt.Errorf("forget flows of published ports: %w", err)
		}
	}
	return nil
}

// udpFlows matches flows that were sent to a published port.
type udpFlows []port

// MatchConntrackFlow implements [netlink.CustomConntrackFilter].
func (f udpFlows) MatchConntrackFlow(flow *netlink.ConntrackFlow) bool {
	return flow.Forward.Protocol == unix.IPPROTO_UDP && slices.ContainsFunc(f, func(p port) bool {
		return flow.Forward.DstPort == p.HostPort && flow.Reverse.SrcPort == p.Container && flow.Reverse.SrcIP.Equal(p.To.AsSlice())
	})
}

// dropEndpoints removes the interfaces of endpoints and gives their addresses back.
func (m *Manager) dropEndpoints(id string, list []endpoint) error {
	var errs []error
	for i := range list {
		e := &list[i]
		link, err := netlink.LinkByName(e.Host)
		switch {
		case err == nil && link.Type() == "veth":
			err = netlink.LinkDel(link)
		case errors.As(err, new(netlink.LinkNotFoundError)):
			err = nil
		}
		if err != nil && !errors.Is(err, unix.ENODEV) {
			errs = append(errs, fmt.Errorf("remove interface %s: %w", e.Host, err))
			continue // its address is not free
		}
		errs = append(errs, m.freeEndpoint(id, e))
	}
	return errors.Join(errs...)
}

// freeEndpoint gives an endpoint's place in its network back. One that has been given back, whose network is empty, has none.
func (m *Manager) freeEndpoint(id string, e *endpoint) error {
	if e.NetworkID == "" {
		return nil
	}
	err := os.Remove(m.netDir("endpoints", e.NetworkID, id))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, m.freeAddresses(id, e))
}
