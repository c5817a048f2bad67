package server

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/berthdev/berth/embedded/internal/network"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// ownsNetwork says that the container has a network namespace of its own.
func (m *monitor) ownsNetwork(cfg *state.Config) bool { return cfg.Netns == "" || cfg.Netns == "none" }

// closeNetwork ends a run's networks. What only the kernel wants time for nobody waits for but the
// next run and the end of this process.
func (m *monitor) closeNetwork(ctx context.Context, s *network.Session) {
	if err := s.Yield(ctx); err != nil {
		m.log.Warn("release networks", "error", err)
		s.Close(ctx)
		return
	}
	done := make(chan struct{})
	m.mu.Lock()
	m.users++
	m.lingering = done
	m.mu.Unlock()
	go func() {
		defer m.quit()
		s.Close(ctx)
		close(done)
	}()
}

// connect gives the container its networks: in the namespace of its first process, which waits, or in that which the process will enter.
func (m *monitor) connect(r *run, pid int, ns *os.File) error {
	cfg := r.cfg
	if !m.ownsNetwork(cfg) {
		return nil
	}
	m.mu.Lock()
	last := m.lingering
	m.mu.Unlock()
	if last != nil {
		<-last
	}
	req := network.Request{
		ContainerID: m.id, Name: cfg.Name, Hostname: r.oci.Hostname, Domainname: cfg.Spec.Domainname, PID: pid, Namespace: ns,
		Ports: cfg.Ports, DNS: cfg.Spec.DNS, DNSOptions: cfg.Spec.DNSOptions, DNSSearch: cfg.Spec.DNSSearch,
		ExtraHosts: cfg.Spec.ExtraHosts, Links: cfg.Spec.Links,
	}
	if cfg.Netns == "" {
		for _, e := range cfg.Networks {
			req.Endpoints = append(req.Endpoints, e.Endpoint)
		}
	}
	res, session, err := m.networks.Connect(r.ctx, req) // it joins namespaces on threads of its own
	r.session = session
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.joined = m.joined || len(req.Endpoints) > 0
	m.noteNetwork(r, res)
	m.mu.Unlock()
	return nil
}

// noteNetwork records the container's networks and writes the files that follow from them. m.mu is held.
func (m *monitor) noteNetwork(r *run, res *network.Result) {
	if res == nil {
		return
	}
	r.record.Networks, r.record.Ports = res.Networks, res.Ports
	m.writeFile("hosts", res.Hosts)
	m.writeFile("resolv.conf", res.Resolv)
}

// writeFile changes a file of the container's that is mounted into it: in place, and only if it has to. It is not emptied first: what is
// written to a file that was, ext4 gives to the disk at once. One that it was not made with stays missing.
func (m *monitor) writeFile(name string, data []byte) {
	if data == nil {
		return
	}
	f, err := os.OpenFile(filepath.Join(m.store.Dir(m.id), "files", name), os.O_RDWR, 0)
	if err != nil {
		return
	}
	old, err := io.ReadAll(f)
	if err == nil && !bytes.Equal(old, data) {
		_, err = f.WriteAt(data, 0)
		if err == nil && len(old) > len(data) {
			err = f.Truncate(int64(len(data)))
		}
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		m.log.Warn("write file", "name", name, "error", err)
	}
}

// join connects the running container to a network.
func (m *monitor) join(ctx context.Context, ep engine.Endpoint) error {
	return m.change(func(s *network.Session) (*network.Result, error) { return s.Join(ctx, ep) })
}

// part disconnects it from a network.
func (m *monitor) part(ctx context.Context, name string) error {
	return m.change(func(s *network.Session) (*network.Result, error) { return s.Leave(ctx, name) })
}

// change changes the networks of the running container; without one there is nothing to do.
func (m *monitor) change(f func(*network.Session) (*network.Result, error)) error {
	r := m.current()
	if r == nil {
		return nil
	}
	if r.session == nil {
		return conflict("the container shares the network of another or of the host")
	}
	res, err := f(r.session)
	if err != nil && r.proc.dying(err) {
		return nil // it has ended, and does not run
	}
	if err != nil {
		return err
	}
	m.rewire(r, res)
	return nil
}

// rewire takes the configuration that the caller has written, and the networks as they are now.
func (m *monitor) rewire(r *run, res *network.Result) {
	cfg, err := m.store.Config(m.id)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		m.cfg = cfg
	}
	if m.run != r {
		return
	}
	m.noteNetwork(r, res)
	m.writeRun(&r.record)
}

// lookUp finds another container for its namespaces.
func (m *monitor) lookUp(ref string) (*state.Config, *state.Run, error) {
	id, err := m.store.Find(ref)
	if err != nil {
		return nil, nil, err
	}
	snap, err := m.store.State(id)
	if err != nil {
		return nil, nil, err
	}
	if snap.Lost || !snap.Alive {
		return snap.Config, nil, nil
	}
	return snap.Config, snap.Run, nil
}

// sweep removes bridges that nobody uses any more.
func (m *monitor) sweep() {
	if m.joined {
		m.networks.Sweep(context.Background(), idleBridge)
	}
}
