package network

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/berthdev/berth/engine"
)

// record is what a container has in its networks. It is written before the things are made and
// removed after they are gone.
type record struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Hostname  string     `json:"hostname"`
	Endpoints []endpoint `json:"endpoints"`
	Ports     []port     `json:"ports"`
}

// endpoint is a container in a network.
type endpoint struct {
	NetworkID  string          `json:"networkID"`
	Network    string          `json:"network"`
	EndpointID string          `json:"endpointID"`
	Bridge     string          `json:"bridge"`
	Host       string          `json:"host"`      // interface on the bridge
	Interface  string          `json:"interface"` // interface in the container
	MAC        string          `json:"mac"`
	IPv4       netip.Prefix    `json:"ipv4"`
	IPv6       netip.Prefix    `json:"ipv6"`
	Gateway4   netip.Addr      `json:"gateway4"` // zero for an internal network
	Gateway6   netip.Addr      `json:"gateway6"`
	Bridge4    netip.Addr      `json:"bridge4"` // the host's address in the network
	MTU        int             `json:"mtu"`
	Internal   bool            `json:"internal,omitzero"`
	Isolated   bool            `json:"isolated,omitzero"`
	DNS        bool            `json:"dns,omitzero"` // names are served in this network
	Asked      engine.Endpoint `json:"asked"`
}

// port is a published port.
type port struct {
	Protocol  string     `json:"protocol"` // tcp, udp
	HostIP    netip.Addr `json:"hostIP"`
	HostPort  uint16     `json:"hostPort"`
	Container uint16     `json:"container"`
	// To is the address that the nftables element sends to; zero when there is no element.
	To netip.Addr `json:"to"`
}

// state is what inspect shows of e.
func (e *endpoint) state() engine.EndpointState {
	return engine.EndpointState{
		NetworkID:     e.NetworkID,
		EndpointID:    e.EndpointID,
		IPv4:          e.IPv4,
		IPv6:          e.IPv6,
		Gateway:       e.Gateway4,
		IPv6Gateway:   e.Gateway6,
		MACAddress:    e.MAC,
		Aliases:       e.Asked.Aliases,
		DriverOptions: e.Asked.DriverOptions,
	}
}

// write stores the record, and the links in the networks' directories.
func (m *Manager) writeRecord(r *record) error {
	if err := os.MkdirAll(m.netDir("containers"), 0o700); err != nil {
		return err
	}
	if err := writeJSON(m.recordPath(r.ID), r); err != nil {
		return err
	}
	for _, e := range r.Endpoints {
		path := m.netDir("endpoints", e.NetworkID, r.ID)
		target := filepath.Join("..", "..", "containers", r.ID+".json")
		err := os.Symlink(target, path)
		if errors.Is(err, fs.ErrNotExist) {
			if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
				err = os.Symlink(target, path)
			}
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// readRecord returns nil for a container that has none.
func (m *Manager) readRecord(id string) (*record, error) {
	var r record
	if err := readJSON(m.recordPath(id), &r); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	return &r, nil
}

// members are the IDs of the containers in a network.
func (m *Manager) members(networkID string) ([]string, error) {
	list, err := names(m.netDir("endpoints", networkID))
	return list, err
}

// records are the IDs of all containers with a record.
func (m *Manager) records() ([]string, error) {
	list, err := names(m.netDir("containers"))
	var ids []string
	for _, name := range list {
		if id, ok := cutExt(name, ".json"); ok {
			ids = append(ids, id)
		}
	}
	return ids, err
}

func cutExt(name, ext string) (string, bool) {
	if len(name) > len(ext) && name[len(name)-len(ext):] == ext {
		return name[:len(name)-len(ext)], true
	}
	return "", false
}

// names are the names in a directory, none if it does not exist.
func names(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// endpointOf is the endpoint in the network; nil if there is none.
func (r *record) endpointOf(networkID string) *endpoint {
	for i := range r.Endpoints {
		if r.Endpoints[i].NetworkID == networkID {
			return &r.Endpoints[i]
		}
	}
	return nil
}

// primary is the endpoint that default route and published ports use: the highest GatewayPriority among those that are
// not internal, then the first. Nil when all are internal.
func (r *record) primary() *endpoint {
	var best *endpoint
	for i := range r.Endpoints {
		e := &r.Endpoints[i]
		if e.Internal {
			continue
		}
		if best == nil || e.Asked.GatewayPriority > best.Asked.GatewayPriority {
			best = e
		}
	}
	return best
}

// primary6 is the same among those with an IPv6 gateway.
func (r *record) primary6() *endpoint {
	if p := r.primary(); p == nil || p.Gateway6.IsValid() {
		return p
	}
	var best *endpoint
	for i := range r.Endpoints {
		e := &r.Endpoints[i]
		if e.Gateway6.IsValid() && (best == nil || e.Asked.GatewayPriority > best.Asked.GatewayPriority) {
			best = e
		}
	}
	return best
}
