package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Sweep removes the bridges without containers, and with the last of them the table, when no container has come or gone
// for the time idle. It waits for that, so it is the last thing a monitor does, when nobody waits for it any more. It
// returns at once when a container is in a network (its monitor sweeps when it ends), or when another
// process waits already. idle 0 removes what can be removed now.
//
// What the dead have left is released too.
func (m *Manager) Sweep(ctx context.Context, idle time.Duration) error {
	if m.opts.Rootless {
		return nil // there are no bridges
	}
	if idle > 0 {
		f, err := os.OpenFile(m.netDir("sweep.lock"), os.O_RDWR|os.O_CREATE|unix.O_CLOEXEC, 0o600)
		if errors.Is(err, fs.ErrNotExist) {
			return m.sweep() // the run directory was deleted: nobody is in it, and there is nothing to lock
		}
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
	if errors.Is(err, fs.ErrNotExist) {
		return m.sweep()
	}
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
