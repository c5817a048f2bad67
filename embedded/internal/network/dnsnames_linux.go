package network

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// directory finds the containers in networks through the files of the run directory, which their monitors write.
type directory struct {
	m *Manager

	mu    sync.Mutex
	cache map[string]cached // by container ID
}

// cached is a record as it was read. A record is replaced, never changed: inode and time tell.
type cached struct {
	inode  uint64
	time   time.Time
	record *record
}

// record returns the record of a container whose session lives, else nil.
func (d *directory) record(id string) *record {
	path := d.m.recordPath(id)
	fi, err := os.Stat(path)
	if err != nil {
		d.mu.Lock()
		delete(d.cache, id)
		d.mu.Unlock()
		return nil
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	d.mu.Lock()
	c := d.cache[id]
	d.mu.Unlock()
	if c.record == nil || c.inode != st.Ino || !c.time.Equal(fi.ModTime()) {
		r, err := d.m.readRecord(id)
		if err != nil || r == nil {
			return nil
		}
		c = cached{st.Ino, fi.ModTime(), r}
		d.mu.Lock()
		if d.cache == nil {
			d.cache = map[string]cached{}
		}
		d.cache[id] = c
		d.mu.Unlock()
	}
	return c.record
}

// neighbour is a container in a network of the asking one.
type neighbour struct {
	record   *record
	endpoint *endpoint
}

// neighbours calls f for the containers in the networks of own that serve names, in the order of own's networks.
// f returns false to go on with no more containers of this network; neighbours then stops.
func (d *directory) neighbours(own *record, f func(network string, list []neighbour) bool) {
	for i := range own.Endpoints {
		e := &own.Endpoints[i]
		if !e.DNS {
			continue
		}
		ids, err := d.m.members(e.NetworkID)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		slices.Sort(ids)
		var list []neighbour
		for _, id := range ids {
			r := d.record(filepath.Base(id))
			if id == own.ID {
				r = own // it knows itself better than the file
			}
			if r == nil {
				continue
			}
			if there := r.endpointOf(e.NetworkID); there != nil {
				list = append(list, neighbour{r, there})
			}
		}
		if !f(e.Network, list) {
			return
		}
	}
}

// answers says whether n is called name, in lower case and without the dot at the end, in a network.
func (n neighbour) answers(name, network string) bool {
	if base, ok := strings.CutSuffix(name, "."+strings.ToLower(network)); ok && base != "" {
		if n.called(base) {
			return true
		}
	}
	return n.called(name)
}

func (n neighbour) called(name string) bool {
	r := n.record
	switch {
	case name == strings.ToLower(r.Name), name == strings.ToLower(r.Hostname), name == r.ID, len(r.ID) >= 12 && name == r.ID[:12]:
		return name != ""
	}
	return slices.ContainsFunc(n.endpoint.Asked.Aliases, func(a string) bool { return strings.EqualFold(a, name) })
}

// lookup returns the addresses of a name in own's networks: the first network that knows it decides. links are
// further names that own alone knows (Docker's legacy links).
func (d *directory) lookup(own *record, links map[string]string, name string) (list []neighbour, found bool) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if target, ok := links[name]; ok {
		name = strings.ToLower(target)
	}
	d.neighbours(own, func(network string, all []neighbour) bool {
		for _, n := range all {
			if n.answers(name, network) && d.living(own, n.record) {
				list = append(list, n)
			}
		}
		found = len(list) > 0
		return !found
	})
	return list, found
}

// reverse returns the name of the container that has an address in one of own's networks.
func (d *directory) reverse(own *record, a netip.Addr) (name string, found bool) {
	d.neighbours(own, func(network string, all []neighbour) bool {
		for _, n := range all {
			if (addressOf(n.endpoint.IPv4) == a || addressOf(n.endpoint.IPv6) == a) && d.living(own, n.record) {
				name, found = n.record.Name+"."+network+".", true
				return false
			}
		}
		return true
	})
	return name, found
}

// living says whether the session of r lives: a record may be what a killed monitor has left.
func (d *directory) living(own, r *record) bool { return r == own || d.m.alive(r.ID) }
