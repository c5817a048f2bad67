package server

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// update applies container.json and config.json, which the caller has changed and whose lock it holds.
func (m *monitor) update() error {
	cfg, err := m.store.Config(m.id)
	if err != nil {
		return err
	}
	oci, err := m.store.OCI(m.id)
	if err != nil {
		return err
	}
	m.mu.Lock()
	r := m.run
	m.mu.Unlock()
	if r != nil {
		<-r.begun
	}
	if r != nil && r.proc != nil && r.group != nil && oci.Linux != nil && oci.Linux.Resources != nil && r.oci.Linux != nil {
		if err := r.group.Update(r.oci.Linux.Resources, oci.Linux.Resources); err != nil {
			return err
		}
		r.oci.Linux.Resources = oci.Linux.Resources
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.cfg
	m.cfg = cfg
	if r == nil || m.run != r || r.proc == nil {
		return nil
	}
	r.cfg = cfg
	if !sameJSON(old.Healthcheck, cfg.Healthcheck) {
		m.armHealth(r)
		m.writeRun(&r.record)
		m.broadcast()
	}
	return nil
}

func sameJSON(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// renamed takes the container's new name from container.json.
func (m *monitor) renamed() error {
	cfg, err := m.store.Config(m.id)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.cfg = cfg
	r := m.run
	m.mu.Unlock()
	if r == nil {
		return nil
	}
	<-r.begun
	if r.session != nil {
		return r.session.Rename(cfg.Name)
	}
	return nil
}

// initialize prepares the container for a start, which may come later.
func (m *monitor) initialize(ctx context.Context) error {
	unlock, err := m.lockIdle(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.retired:
		return notFound(m.id)
	case m.run != nil || m.waitFor != nil:
		return conflict("container " + m.id + " is running")
	}
	if err := m.store.WriteRun(m.id, &state.Run{Status: engine.StatusInitialized, Monitor: os.Getpid()}); err != nil {
		return err
	}
	m.setStatus(engine.StatusInitialized)
	return nil
}

// retire makes way for the container's removal by the caller, who holds its lock.
func (m *monitor) retire() error {
	m.mu.Lock()
	if m.run != nil || m.waitFor != nil && m.status == engine.StatusRestarting {
		m.mu.Unlock()
		return conflict("container " + m.id + " is running")
	}
	m.retired = true
	rest := m.cleanup
	if m.status == engine.StatusInitialized {
		m.setStatus(engine.StatusCreated)
	}
	m.broadcast()
	m.mu.Unlock()
	if rest != nil {
		<-rest.gone
	}
	m.out.finish()
	return nil
}

// removeSelf removes a container that is to be removed at its end.
func (m *monitor) removeSelf() {
	ctx := context.Background()
	unlock, err := m.store.Lock(ctx, m.id)
	if err != nil {
		return // somebody else has removed it
	}
	defer unlock()
	cfg := m.container()
	if err := m.store.Remove(m.id); err != nil {
		m.log.Warn("remove container", "error", err)
	}
	m.at("removed")
	m.mu.Lock()
	m.removed = true
	m.mu.Unlock()
	m.emit("destroy", nil)
	for _, mount := range cfg.Mounts {
		if mount.Anonymous && mount.Name != "" {
			m.volumes.Remove(ctx, mount.Name, true, m.volumesInUse)
		}
	}
}

// volumesInUse are the containers that use volumes.
func (m *monitor) volumesInUse() (map[string][]string, error) { return volumesInUse(m.store) }

func volumesInUse(store *state.Store) (map[string][]string, error) {
	all, err := store.List()
	if err != nil {
		return nil, err
	}
	used := make(map[string][]string)
	for _, s := range all {
		for _, mount := range s.Config.Mounts {
			if mount.Name != "" {
				used[mount.Name] = append(used[mount.Name], s.Config.ID)
			}
		}
	}
	return used, nil
}

// mountVolumes mounts the volumes that are file systems of their own.
func (m *monitor) mountVolumes(r *run) error {
	for _, mount := range r.cfg.Mounts {
		if mount.Name == "" || !m.volumes.NeedsMount(mount.Name) {
			continue
		}
		if err := m.volumes.Mount(r.ctx, mount.Name, m.id); err != nil {
			return err
		}
		r.mounted = append(r.mounted, mount.Name)
	}
	return nil
}

func (m *monitor) unmountVolumes(r *run) {
	for _, name := range r.mounted {
		if err := m.volumes.Unmount(context.Background(), name, m.id); err != nil {
			m.log.Warn("unmount volume", "name", name, "error", err)
		}
	}
}

// watchOOM tells of processes that the kernel kills for want of memory.
func (m *monitor) watchOOM(r *run) {
	if r.group == nil || r.cfg.Spec.Resources.Memory == 0 {
		return
	}
	go r.group.WatchOOM(r.ctx, func(uint64) { m.emit("oom", nil) })
}

// armTimeout kills the container when it has run for as long as it may.
func (m *monitor) armTimeout(r *run) {
	d := r.cfg.Spec.Timeout
	if d <= 0 {
		return
	}
	t := time.AfterFunc(d, func() {
		m.mu.Lock()
		r.final = true
		m.mu.Unlock()
		m.emit("kill", map[string]string{"signal": "9"})
		m.killAll(r)
	})
	context.AfterFunc(r.ctx, func() { t.Stop() })
}

// writeExecs keeps how execs went.
func writeExecs(dir string, states []*engine.ExecState) {
	data, err := json.Marshal(states)
	if err != nil {
		return
	}
	name := proto.ExecsFile(dir)
	if os.WriteFile(name+".tmp", data, 0o600) == nil {
		os.Rename(name+".tmp", name)
	}
}
