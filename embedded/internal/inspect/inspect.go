package inspect

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// Extra is what inspect shows and state does not know.
type Extra struct {
	Now        time.Time // zero is now
	ExecIDs    []string
	SizeRw     *engine.Bytes
	SizeRootFs *engine.Bytes
	LogPath    string
	Dir        string // containers/ID, for the paths of files that inspect shows
	CgroupNS   string // of a container whose Spec names none: host or private
	// NetworkIDs by name, for endpoints of containers that do not run.
	NetworkIDs map[string]string
}

// The engine's own words.
const (
	storageDriver = "overlay"
	builtin       = "berth" // the runtime of a container that names none
	defaultShm    = 64 * engine.MiB
)

// Attrs is the container as inspect shows it. Raw is in the shape of Docker's API.
func Attrs(s *state.Snapshot, x Extra) (*engine.Attrs, error) {
	cfg := s.Config
	a := &engine.Attrs{
		ID:           cfg.ID,
		Name:         cfg.Name,
		Created:      cfg.Created,
		Image:        cfg.Image,
		ImageID:      cfg.ImageID,
		Platform:     "linux",
		Path:         cfg.Path,
		Args:         cfg.Args,
		Driver:       storageDriver,
		LogPath:      x.LogPath,
		State:        stateOf(s),
		RestartCount: restarts(s),
		Config:       config(cfg),
		HostConfig:   hostConfig(cfg, x),
		Networks:     endpoints(s, x),
		Ports:        ports(s),
		ExecIDs:      x.ExecIDs,
		SizeRw:       x.SizeRw,
		SizeRootFs:   x.SizeRootFs,
		At:           x.Now,
	}
	if a.At.IsZero() {
		a.At = time.Now()
	}
	for _, m := range cfg.Mounts {
		a.Mounts = append(a.Mounts, m.MountPoint)
	}
	var err error
	a.Raw, err = json.Marshal(raw(a, cfg, x))
	return a, err
}

// up tells that the container has a living process.
func up(s engine.Status) bool { return engine.State{Status: s}.Running() }

func stateOf(s *state.Snapshot) engine.State {
	status := s.Status()
	st := engine.State{Status: status, Raw: string(status), OOMKilled: new(false), Health: health(s, status)}
	if e := s.Exit; e != nil {
		st.StartedAt, st.FinishedAt = e.StartedAt, e.FinishedAt
		if !up(status) {
			st.OOMKilled, st.ExitCode, st.Error = &e.OOMKilled, e.Code, e.Error
		}
	}
	if r := s.Run; r != nil && s.Alive {
		if up(status) {
			st.PID = r.PID
		}
		if !r.StartedAt.IsZero() {
			st.StartedAt = r.StartedAt
		}
		st.Error = cmp.Or(r.Error, st.Error)
	}
	if s.Lost && s.Run != nil && !s.Run.StartedAt.IsZero() && status == engine.StatusExited && st.StartedAt.Before(s.Run.StartedAt) {
		// Its monitor has died and nobody has recorded that yet: what recovery will write, but for the time.
		st.StartedAt, st.ExitCode, st.Error = s.Run.StartedAt, lostCode, ""
	}
	if s.Err != nil {
		st.Error = s.Err.Error()
	}
	return st
}

// lostCode is the exit code of a container whose monitor has died: the kernel kills it then.
const lostCode = 137

func restarts(s *state.Snapshot) int {
	switch {
	case s.Run != nil:
		return s.Run.Restarts
	case s.Exit != nil:
		return s.Exit.Restarts
	}
	return 0
}

// health is nil without a check and before the first start. A container that has ended is unhealthy, as with Docker.
func health(s *state.Snapshot, status engine.Status) *engine.Health {
	check := s.Config.Healthcheck
	switch {
	case check == nil, len(check.Test) > 0 && check.Test[0] == "NONE":
		return nil
	case s.Run != nil && s.Run.Health != nil && s.Alive && status != engine.StatusExited:
		return s.Run.Health
	case up(status):
		return &engine.Health{Status: engine.HealthStarting}
	case status == engine.StatusCreated, status == engine.StatusInitialized:
		return nil
	}
	h := engine.Health{}
	if s.Run != nil && s.Run.Health != nil {
		h = *s.Run.Health
	}
	h.Status = engine.HealthUnhealthy
	return &h
}

// endpoints are those of a running container as they are, of another as they were asked for.
func endpoints(s *state.Snapshot, x Extra) map[string]engine.EndpointState {
	if s.Alive && s.Run != nil && len(s.Run.Networks) > 0 && up(s.Status()) {
		return s.Run.Networks
	}
	list := map[string]engine.EndpointState{}
	for _, e := range s.Config.Networks {
		list[e.Network] = engine.EndpointState{
			NetworkID: x.NetworkIDs[e.Network], Aliases: e.Aliases, DriverOptions: e.DriverOptions, MACAddress: e.MACAddress,
		}
	}
	if ns := s.Config.Netns; ns == "host" || ns == "none" {
		list[ns] = engine.EndpointState{NetworkID: x.NetworkIDs[ns]}
	}
	return list
}

// ports are what a running container has published, and an entry without a host's port for what is exposed only.
func ports(s *state.Snapshot) []engine.PortBinding {
	var list []engine.PortBinding
	published := map[string]bool{}
	if s.Alive && s.Run != nil && up(s.Status()) {
		for _, p := range s.Run.Ports {
			published[p.Container] = true
			list = append(list, p)
		}
	}
	for _, p := range s.Config.Exposed {
		if !published[p] {
			list = append(list, engine.PortBinding{Container: p})
		}
	}
	slices.SortStableFunc(list, func(a, b engine.PortBinding) int {
		return cmp.Or(comparePorts(a.Container, b.Container), a.HostIP.Compare(b.HostIP), cmp.Compare(a.HostPort, b.HostPort))
	})
	return list
}

// comparePorts orders "80/tcp" by number, then protocol.
func comparePorts(a, b string) int {
	x, xp, _ := strings.Cut(a, "/")
	y, yp, _ := strings.Cut(b, "/")
	xn, _ := strconv.Atoi(x)
	yn, _ := strconv.Atoi(y)
	return cmp.Or(xn-yn, strings.Compare(xp, yp))
}

// signalName is "SIGTERM" for 15.
func signalName(n int) string {
	if _, name, err := normal.Signal(strconv.Itoa(n)); err == nil && n > 0 {
		return name
	}
	return "SIGTERM"
}
