package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
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
// While the container's session lives it is an error: the session's monitor does it.
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
		return fail("release networks", id, nil, "the container's monitor is alive")
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
		if err := os.Remove(m.netDir("endpoints", e.NetworkID, id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		errs = append(errs, m.freeAddresses(id, e))
	}
	return errors.Join(errs...)
}

// Sweep removes the bridges without containers, and with the last of them the table, when no container has come or gone
// for the time idle. It waits for that, so it is the last thing a monitor does, when nobody waits for it any more. It
// returns at once when a container is in a network (its monitor sweeps when it ends), or when another
// process waits already. idle 0 removes what can be removed now.
//
// What the dead have left is released too.
func (m *Manager) Sweep(ctx context.Context, idle time.Duration) error {
	if idle > 0 {
		f, err := os.OpenFile(m.netDir("sweep.lock"), os.O_RDWR|os.O_CREATE|unix.O_CLOEXEC, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := flock(f, unix.LOCK_EX|unix.LOCK_NB); err == unix.EWOULDBLOCK {
			return nil
		} else if err != nil {
			return err
		}
	}
	for idle > 0 {
		if busy, err := m.busy(); err != nil || busy {
			return err // the monitor of who is there sweeps when it ends
		}
		used, err := m.lastUse()
		if err != nil {
			return err
		}
		wait := time.Until(used.Add(idle))
		if wait <= 0 {
			break
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return m.sweep()
}

// lastUse is when a container came or went last.
func (m *Manager) lastUse() (time.Time, error) {
	fi, err := os.Stat(m.netDir("containers"))
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return fi.ModTime(), nil
}

// busy says whether a container is in a network.
func (m *Manager) busy() (bool, error) {
	ids, err := m.records()
	return slices.ContainsFunc(ids, m.alive), err
}

// sweep is the work of Sweep. The caller has the lock.
func (m *Manager) sweep() error {
	if err := m.releaseDead(); err != nil {
		return err
	}
	nets, err := m.files()
	if err != nil {
		return err
	}
	var errs []error
	known := map[string]bool{}
	for _, c := range nets {
		known[m.alias(c)] = true
		ids, err := m.members(c.ID)
		if err != nil {
			return err
		}
		if len(ids) > 0 {
			continue
		}
		if _, err := netlink.LinkByName(c.Interface); err == nil {
			errs = append(errs, m.teardown(c))
		} else {
			errs = append(errs, removeAccepts(c.Interface))
		}
	}
	// Bridges of networks whose file is gone: a state directory that was deleted.
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("list interfaces: %w", err)
	}
	for _, l := range links {
		alias := l.Attrs().Alias
		if id, ok := strings.CutPrefix(alias, tableName(m.run)+" "); ok && l.Type() == "bridge" && !known[alias] {
			errs = append(errs, m.teardown(&config{ID: id, Interface: l.Attrs().Name, NoMasquerade: true}))
		}
	}
	return errors.Join(append(errs, m.dropEmptyTable())...)
}

// dropEmptyTable removes the table when it has no bridge.
func (m *Manager) dropEmptyTable() error {
	t, err := openTable(m.run)
	if err != nil {
		return err
	}
	defer t.close()
	if there, err := t.exists(); err != nil || !there {
		return err
	}
	left, err := t.conn.GetSetElements(t.set("bridges"))
	if err != nil {
		return fmt.Errorf("read nftables table %s: %w", t.table.Name, err)
	}
	if len(left) > 0 {
		return nil
	}
	return t.remove()
}
