package docker

import (
	"context"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
	"github.com/berthdev/berth/internal/wire"
)

// ContainerInspect implements [engine.Containers].
func (e *Engine) ContainerInspect(ctx context.Context, id string, opts engine.InspectOptions) (*engine.Attrs, error) {
	query := url.Values{}
	if opts.Size {
		query.Set("size", "1")
	}
	var w wire.Raw[wireContainer]
	if err := e.container(ctx, "inspect container", id, http.MethodGet, "/json", query, nil, &w); err != nil {
		return nil, err
	}
	a := attrs(&w.Value)
	a.Raw, a.At = w.Text, time.Now()
	return a, nil
}

// ContainerExists implements [engine.Containers].
func (e *Engine) ContainerExists(ctx context.Context, id string) (bool, error) {
	err := e.container(ctx, "inspect container", id, http.MethodGet, "/json", nil, nil, nil)
	return exists(err)
}

// inspect asks for the wire form of a container: what other calls need to know of it. verb is theirs.
func (e *Engine) inspect(ctx context.Context, verb, id string) (*wireContainer, error) {
	w := new(wireContainer)
	return w, e.container(ctx, verb, id, http.MethodGet, "/json", nil, nil, w)
}

func attrs(w *wireContainer) *engine.Attrs {
	a := &engine.Attrs{
		ID:           w.ID,
		Name:         strings.TrimPrefix(w.Name, "/"),
		Created:      w.Created.Time,
		Image:        w.Config.Image,
		ImageID:      w.Image,
		Platform:     w.Platform,
		Path:         w.Path,
		Args:         w.Args,
		Driver:       w.Driver,
		LogPath:      w.LogPath,
		State:        state(&w.State),
		RestartCount: w.RestartCount,
		Config:       config(&w.Config, w.HostConfig.Annotations),
		HostConfig:   hostConfig(&w.HostConfig),
		Networks:     map[string]engine.EndpointState{},
		Ports:        publishedPorts(w.NetworkSettings.Ports, w.Config.ExposedPorts),
		ExecIDs:      w.ExecIDs,
		SizeRw:       (*engine.Bytes)(w.SizeRw),
		SizeRootFs:   (*engine.Bytes)(w.SizeRootFs),
	}
	for _, m := range w.Mounts {
		a.Mounts = append(a.Mounts, mountPoint(m))
	}
	for name, ep := range w.NetworkSettings.Networks {
		if ep != nil {
			a.Networks[name] = endpointState(ep)
		}
	}
	return a
}

// status turns the engine's word for a state, or for that of a health check, into ours; they are the same but for what a future engine may add.
func status(raw string) engine.Status {
	switch s := engine.Status(raw); s {
	case engine.StatusCreated, engine.StatusRunning, engine.StatusPaused, engine.StatusRestarting, engine.StatusRemoving, engine.StatusExited, engine.StatusDead:
		return s
	}
	return engine.StatusUnknown
}

func state(w *wireState) engine.State {
	return engine.State{
		Status:     status(w.Status),
		Raw:        w.Status,
		OOMKilled:  &w.OOMKilled,
		PID:        w.Pid,
		ExitCode:   w.ExitCode,
		Error:      w.Error,
		StartedAt:  w.StartedAt.Time,
		FinishedAt: w.FinishedAt.Time,
		Health:     health(w.Health),
	}
}

func health(w *wireHealth) *engine.Health {
	if w == nil || w.Status == "" || w.Status == string(engine.HealthNone) {
		return nil
	}
	h := &engine.Health{Status: engine.HealthStatus(w.Status), FailingStreak: w.FailingStreak}
	for _, r := range w.Log {
		h.Log = append(h.Log, engine.HealthResult{Start: r.Start.Time, End: r.End.Time, ExitCode: r.ExitCode, Output: r.Output, Healthy: r.ExitCode == 0})
	}
	return h
}

func config(w *wireConfig, annotations map[string]string) engine.Config {
	c := engine.Config{
		Hostname:     w.Hostname,
		Domainname:   w.Domainname,
		User:         w.User,
		Env:          w.Env,
		Cmd:          w.Cmd,
		Entrypoint:   w.Entrypoint,
		WorkingDir:   w.WorkingDir,
		Labels:       w.Labels,
		Annotations:  annotations,
		TTY:          w.Tty,
		OpenStdin:    w.OpenStdin,
		StdinOnce:    w.StdinOnce,
		StopSignal:   w.StopSignal,
		Healthcheck:  neutralHealthcheck(w.Healthcheck),
		Volumes:      slices.Sorted(maps.Keys(w.Volumes)),
		ExposedPorts: slices.Sorted(maps.Keys(w.ExposedPorts)),
	}
	if _, name, err := normal.Signal(w.StopSignal); err == nil && name != "" { // as it was given: "2", "int"
		c.StopSignal = name
	} else if c.StopSignal == "" {
		c.StopSignal = "SIGTERM"
	}
	if w.StopTimeout != nil {
		c.StopTimeout = new(time.Duration(*w.StopTimeout) * time.Second)
	}
	return c
}

func neutralHealthcheck(w *wireHealthcheck) *engine.Healthcheck {
	if w == nil {
		return nil
	}
	return &engine.Healthcheck{
		Test:          w.Test,
		Interval:      time.Duration(w.Interval),
		Timeout:       time.Duration(w.Timeout),
		StartPeriod:   time.Duration(w.StartPeriod),
		StartInterval: time.Duration(w.StartInterval),
		Retries:       w.Retries,
	}
}

func mountPoint(m wireMountPoint) engine.MountPoint {
	p := engine.MountPoint{
		Type:        engine.MountType(m.Type),
		Name:        m.Name,
		Source:      m.Source,
		Target:      m.Destination,
		Driver:      m.Driver,
		Mode:        m.Mode,
		ReadWrite:   m.RW,
		Propagation: m.Propagation,
	}
	if m.Mode != "" {
		p.Options = strings.Split(m.Mode, ",")
	}
	return p
}

func endpointState(w *wireEndpointState) engine.EndpointState {
	return engine.EndpointState{
		NetworkID:     w.NetworkID,
		EndpointID:    w.EndpointID,
		IPv4:          prefix(w.IPAddress, w.IPPrefixLen),
		IPv6:          prefix(w.GlobalIPv6Address, w.GlobalIPv6PrefixLen),
		Gateway:       parseAddr(w.Gateway),
		IPv6Gateway:   parseAddr(w.IPv6Gateway),
		MACAddress:    w.MacAddress,
		Aliases:       w.Aliases,
		DriverOptions: w.DriverOpts,
	}
}

// prefix is the zero prefix where there is no address.
func prefix(address string, bits int) netip.Prefix {
	a := parseAddr(address)
	if !a.IsValid() {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(a, bits)
}

// parseAddr is the zero address for what is none: the engine's "" among others.
func parseAddr(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a
}

// publishedPorts lists what is published, with an entry without a host port for what is only exposed. A container that does not run has no ports but those that it exposes.
func publishedPorts(published map[string][]wirePortBinding, exposed map[string]struct{}) []engine.PortBinding {
	var out []engine.PortBinding
	for port, bindings := range published {
		for _, b := range bindings {
			n, err := strconv.ParseUint(b.HostPort, 10, 16)
			if err != nil {
				continue // not bound
			}
			ip := parseAddr(b.HostIP)
			if !ip.IsValid() {
				ip = netip.IPv4Unspecified()
			}
			out = append(out, engine.PortBinding{Container: port, HostIP: ip, HostPort: uint16(n)})
		}
		if len(bindings) == 0 {
			out = append(out, engine.PortBinding{Container: port})
		}
	}
	for port := range exposed {
		if _, ok := published[port]; !ok {
			out = append(out, engine.PortBinding{Container: port})
		}
	}
	sortPorts(out)
	return out
}

func sortPorts(list []engine.PortBinding) {
	normal.SortBy(list, func(a, b engine.PortBinding) int {
		if c := comparePorts(a.Container, b.Container); c != 0 {
			return c
		}
		if c := a.HostIP.Compare(b.HostIP); c != 0 {
			return c
		}
		return int(a.HostPort) - int(b.HostPort)
	})
}

// comparePorts orders "80/tcp" by number, then protocol.
func comparePorts(a, b string) int {
	an, ap, _ := strings.Cut(a, "/")
	bn, bp, _ := strings.Cut(b, "/")
	ai, _ := strconv.Atoi(an)
	bi, _ := strconv.Atoi(bn)
	if ai != bi {
		return ai - bi
	}
	return strings.Compare(ap, bp)
}
